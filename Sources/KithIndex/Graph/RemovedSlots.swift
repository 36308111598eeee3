internal import CMemory
internal import KithCore
internal import Synchronization

/// The dead that left the graph last. A search whose snapshot is older than a death still has to see the slot, so it looks here.
///
/// Searches of the present, all but a few, only compare two positions.
final class RemovedSlots: Sendable {
    /// Slots remembered; a search older than the death of one forgotten scans everything.
    private static let limit = 4_096

    private let deaths: SlotDeaths
    private let recent = Mutex<[UInt32]>([])
    /// The latest death of any slot noted, and of any forgotten.
    private let newest = Atomic<UInt64>(0)
    private let forgotten = Atomic<UInt64>(0)

    init(_ deaths: SlotDeaths) { self.deaths = deaths }

    enum Missing {
        case none
        case slots([UInt32])
        case unknown
    }

    /// Remembers a dead slot, before it leaves the graph.
    func note(_ slot: UInt32) {
        recent.withLock { recent in
            recent.append(slot)
            if recent.count == 2 * Self.limit {
                raise(forgotten, to: recent.prefix(Self.limit))
                recent.removeFirst(Self.limit)
            }
        }
        raise(newest, to: [slot])
    }

    /// What a walk for a search at `position` may have missed; to be asked after the walk.
    func missing(at position: LogPosition) -> Missing {
        if position >= newest.load(ordering: .acquiring) { return .none }
        if position < forgotten.load(ordering: .acquiring) { return .unknown }
        return .slots(recent.withLock { $0.filter { deaths.isVisible($0, at: position) } })
    }

    private func raise(_ position: borrowing Atomic<UInt64>, to slots: some Sequence<UInt32>) {
        for slot in slots { position.max(deaths.position(of: slot), ordering: .releasing) }
    }
}

extension SlotDeaths {
    /// When a slot died; zero while it lives.
    func position(of slot: UInt32) -> LogPosition { kith_load_acquire_u64(base + Int(slot)) }
}
