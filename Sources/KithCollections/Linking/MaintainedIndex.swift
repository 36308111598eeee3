import Foundation
import KithCore
import KithIndex
import Synchronization

/// The index of a space, and the one that is made to take its place.
///
/// The other is made from the same rows and kept up with writes until it is behind no more; then it takes the place of the first at once. A search keeps the
/// index it began with. One thread at a time links both.
final class MaintainedIndex: Sendable {
    /// An index, and what it was made by: not always what the collection's definition says by now.
    struct Built: Sendable {
        var index: any VectorIndex
        var definition: IndexDefinition
        /// What there was when it was made.
        var made: Snapshot
    }

    private struct Rebuild {
        let number: UInt64
        let reason: RebuildReason
        let definition: IndexDefinition
        let startedAt = Int64(Date().timeIntervalSince1970 * 1e6)
        /// Nil until a linking thread begins, and again after a failure.
        var successor: (any VectorIndex)?
        var made = Snapshot(slotCount: 0, position: 0)
        /// When it is tried again after a failure.
        var retryAt: ContinuousClock.Instant?
    }

    private struct State {
        var live: Built
        var wanted: IndexDefinition
        var rebuild: Rebuild?
        var rebuilds: UInt64 = 0
    }

    /// How much faster a successor is linked than the index it follows, so that it catches up.
    private static let pace = 2

    private let make: @Sendable (IndexDefinition) throws(KithError) -> any VectorIndex
    /// The lock is held to retain, or to exchange.
    private let state: Mutex<State>

    /// - Parameters:
    ///   - live: what serves searches.
    ///   - wanted: what the collection's definition says; where it is another, a rebuild begins.
    ///   - make: makes an empty index.
    init(
        _ live: Built, wanted: IndexDefinition,
        make: @escaping @Sendable (IndexDefinition) throws(KithError) -> any VectorIndex
    ) {
        self.make = make
        state = Mutex(State(live: live, wanted: live.definition))
        want(wanted)
    }

    // MARK: For anybody

    var live: Built { state.withLock { $0.live } }

    /// The one that is being made, where there is one.
    var successor: (any VectorIndex)? { state.withLock { $0.rebuild?.successor } }

    var isRebuilding: Bool { state.withLock { $0.rebuild != nil } }

    /// The definition has changed: makes an index of it, unless that is what serves, or is being made, or differs from what serves in nothing but how it
    /// is searched.
    func want(_ definition: IndexDefinition) {
        // Freed after the lock: a large index takes its time.
        var dropped: Rebuild?
        state.withLock { state in
            guard definition != state.wanted else { return }
            state.wanted = definition
            dropped = state.rebuild
            state.rebuild = nil
            if definition != state.live.definition, !MaintainedIndex.tune(&state.live, to: definition) {
                MaintainedIndex.begin(.definition, &state)
            }
        }
        withExtendedLifetime(dropped) {}
    }

    /// False where only another index can be what the definition says.
    private static func tune(_ live: inout Built, to definition: IndexDefinition) -> Bool {
        guard let index = live.index as? any TunableIndex, !index.differ(live.definition, definition) else { return false }
        do throws(KithError) { try index.tune(definition.parameters) } catch {
            // Its maker checks definitions before they get here, and says more of what is wrong.
            return false
        }
        live.definition = definition
        return true
    }

    /// Asks for a rebuild; where one waits or is under way, that is it.
    func askForRebuild(_ reason: RebuildReason) {
        state.withLock { state in
            if state.rebuild == nil { MaintainedIndex.begin(reason, &state) }
        }
    }

    private static func begin(_ reason: RebuildReason, _ state: inout State) {
        state.rebuilds += 1
        state.rebuild = Rebuild(number: state.rebuilds, reason: reason, definition: state.wanted)
    }

    /// What goes on, for `slotCount` slots.
    func maintenance(slotCount: UInt32, isPaused: Bool) -> IndexMaintenance {
        let state = state.withLock { $0 }
        var maintenance = IndexMaintenance(serving: state.live.definition)
        let tail = MaintainedIndex.tail(of: state.live.index, slotCount: slotCount)
        (maintenance.rowsDone, maintenance.rowsTotal) = (Int(slotCount) - tail, Int(slotCount))
        if let rebuild = state.rebuild {
            maintenance.reason = rebuild.reason
            maintenance.startedAt = rebuild.startedAt
            maintenance.rowsDone = Int(min(rebuild.successor?.linkedCount ?? 0, slotCount))
        }
        maintenance.state = isPaused ? .paused : state.rebuild != nil ? .rebuilding : tail > 0 ? .linking : .idle
        return maintenance
    }

    /// Vectors that wait to be linked.
    static func tail(of index: any VectorIndex, slotCount: UInt32) -> Int {
        max(0, Int(min(slotCount, index.linkableSlots)) - Int(index.linkedCount))
    }

    // MARK: For the thread that links

    func hasWork(upTo slotCount: UInt32, isPaused: Bool) -> Bool {
        let state = state.withLock { $0 }
        if MaintainedIndex.tail(of: state.live.index, slotCount: slotCount) > 0 { return true }
        if isPaused { return false }
        if let rebuild = state.rebuild, rebuild.retryAt.map({ $0 <= .now }) ?? true { return true }
        return state.live.index.hasWork(upTo: slotCount)
    }

    /// Links at most `limit` fresh vectors into the live index, and goes on with a rebuild; its reason where that came to its end.
    ///
    /// - Parameters:
    ///   - inHurry: searches pay for what waits: see `VectorIndexWriter.link`.
    ///   - isPaused: nothing is done but linking fresh vectors.
    /// - Throws: what kept the live index from linking. A rebuild that fails leaves it as it is, and is told `failed`.
    func link(
        upTo snapshot: Snapshot, limit: Int, inHurry: Bool, isPaused: Bool, failed: (KithError) -> Void
    ) throws(KithError) -> RebuildReason? {
        let slotCount = snapshot.slotCount
        let live = live.index
        let isDue = isPaused ? MaintainedIndex.tail(of: live, slotCount: slotCount) > 0 : live.hasWork(upTo: slotCount)
        if isDue { _ = try live.link(upTo: slotCount, limit: limit, inHurry: inHurry) }
        guard !isPaused, let rebuild = state.withLock({ $0.rebuild }), rebuild.retryAt.map({ $0 <= .now }) ?? true else {
            return nil
        }
        do throws(KithError) {
            return try advance(rebuild, over: live, upTo: snapshot, limit: limit)
        } catch {
            change(rebuild) { rebuild in
                rebuild?.successor = nil
                rebuild?.retryAt = .now + .seconds(Limits.rebuildRetrySeconds)
            }
            failed(error)
            return nil
        }
    }

    private func advance(
        _ rebuild: Rebuild, over live: any VectorIndex, upTo snapshot: Snapshot, limit: Int
    ) throws(KithError) -> RebuildReason? {
        let slotCount = snapshot.slotCount
        guard let successor = rebuild.successor else {
            let made = try make(rebuild.definition)
            change(rebuild) { rebuild in
                rebuild?.successor = made
                rebuild?.made = snapshot
            }
            return nil
        }
        if successor.hasWork(upTo: slotCount) {
            _ = try successor.link(upTo: slotCount, limit: MaintainedIndex.pace * limit)
        }
        guard MaintainedIndex.isReady(successor, insteadOf: live, slotCount: slotCount) else { return nil }
        var swapped = false
        state.withLock { state in
            guard state.rebuild?.number == rebuild.number else { return }
            state.live = Built(index: successor, definition: rebuild.definition, made: rebuild.made)
            state.rebuild = nil
            swapped = true
        }
        return swapped ? rebuild.reason : nil
    }

    /// Whether searches find the one no worse prepared than the other: what it must learn is learned, and no more waits to be linked.
    private static func isReady(
        _ successor: any VectorIndex, insteadOf live: any VectorIndex, slotCount: UInt32
    ) -> Bool {
        guard tail(of: successor, slotCount: slotCount) <= tail(of: live, slotCount: slotCount) else { return false }
        // One that has learned nothing yet links nothing. Else what is still to be done, but for fresh vectors, is upkeep and calibration.
        let linked = successor.linkableSlots == 0 ? slotCount : min(successor.linkedCount, slotCount)
        return !successor.hasWork(upTo: linked)
    }

    /// Changes a rebuild, unless it has been given up meanwhile.
    private func change(_ rebuild: Rebuild, _ body: (inout Rebuild?) -> Void) {
        state.withLock { state in
            if state.rebuild?.number == rebuild.number { body(&state.rebuild) }
        }
    }
}
