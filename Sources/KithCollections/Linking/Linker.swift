import CMemory
import Dispatch
import Foundation
import KithCore
import KithIndex
import KithTelemetry

/// Threads that link fresh vectors into their indexes, and write checkpoints, behind everybody else's back.
///
/// A shard with something to do stands in the queue once; a thread takes it, does a slice of its work, and puts it back while there is more.
/// So a shard is on one thread at a time, and big shards do not starve small ones. What searches pay for goes to threads that are scheduled like theirs.
final class Linker: @unchecked Sendable {
    /// Where a shard stands; one that is nowhere has nothing to do.
    private enum Place {
        /// In the queue of this urgency.
        case queued(LinkingUrgency)
        /// With a thread, and whether it was woken meanwhile.
        case running(again: Bool)
        /// What it has to do waits for others: it is looked at again a little later, or when it is woken.
        case resting
        /// With a thread, and not to come back.
        case leaving
    }

    /// Vectors linked in one slice. Short, so that the queue moves on, no slice is gentle for long once it should hurry, and what was
    /// written meanwhile is soon encoded.
    private static let sliceVectors = 128
    /// A slice that takes less processor time than this, and leaves more to do, has found nothing that it could do: searches have to end first, say.
    private static let idleSliceNanoseconds: UInt64 = 20_000
    private static let restNanoseconds: UInt64 = 5_000_000

    private let condition = NSCondition()
    private var queues: [LinkingUrgency: [ShardWriter]] = [:]
    private var places: [ObjectIdentifier: Place] = [:]
    /// In the order in which their rests end.
    private var resting: [(writer: ShardWriter, until: UInt64)] = []
    private var stopping = false
    private var liveThreads = 0
    private var allowance: CPUAllowance
    private let metrics: Metrics
    private let checkpoints: CheckpointPolicy

    /// - Parameter cpuShare: of all cores, that its threads and those that work for them may take.
    init(threads count: Int, cpuShare: Double, metrics: Metrics, checkpoints: CheckpointPolicy) {
        self.metrics = metrics
        allowance = CPUAllowance(share: cpuShare, cores: ProcessInfo.processInfo.activeProcessorCount)
        self.checkpoints = checkpoints
        liveThreads = max(count, 1) * LinkingUrgency.allCases.count
        for (rank, urgency) in LinkingUrgency.allCases.enumerated() {
            for number in 0..<max(count, 1) {
                let thread = Thread(named: "kith.linker.\(rank * max(count, 1) + number)") { self.run(urgency) }
                // Linking neighbour lists needs little stack; searches' scratch is on the heap.
                thread.stackSize = 1 << 20
                thread.start()
            }
        }
    }

    /// There may be something to do in this shard.
    func wake(_ writer: ShardWriter) {
        let urgency = urgency(of: writer)
        condition.withLock {
            guard !stopping else { return }
            switch places[ObjectIdentifier(writer)] {
            case nil: enqueue(writer, urgency)
            case .running: places[ObjectIdentifier(writer)] = .running(again: true)
            case .queued(.gentle) where urgency == .urgent:
                queues[.gentle]?.removeAll { $0 === writer }
                enqueue(writer, .urgent)
            case .resting:
                resting.removeAll { $0.writer === writer }
                enqueue(writer, urgency)
            case .queued, .leaving: break
            }
        }
    }

    /// Returns when no thread works on the shard, and none will until it is woken again.
    func forget(_ writer: ShardWriter) {
        let id = ObjectIdentifier(writer)
        condition.withLock {
            switch places[id] {
            case .queued(let urgency):
                queues[urgency]?.removeAll { $0 === writer }
                places[id] = nil
            case .resting:
                resting.removeAll { $0.writer === writer }
                places[id] = nil
            case .running, .leaving:
                places[id] = .leaving
                while places[id] != nil { condition.wait() }
            case nil: break
            }
        }
    }

    /// Ends after the slices under way. Blocks.
    func stop() {
        condition.withLock {
            stopping = true
            queues.removeAll()
            resting.removeAll()
            condition.broadcast()
            while liveThreads > 0 { condition.wait() }
        }
    }

    // MARK: The threads

    private func run(_ urgency: LinkingUrgency) {
        kith_set_thread_niceness(urgency.niceness)
        while let writer = next(urgency) {
            let start = kith_thread_time()
            let more = work(on: writer, urgency)
            done(with: writer, more: more, time: kith_thread_time() - start)
        }
        condition.withLock {
            liveThreads -= 1
            condition.broadcast()
        }
    }

    private func urgency(of writer: ShardWriter) -> LinkingUrgency {
        LinkingUrgency(tailBytes: writer.shard.longestTailBytes, isSearched: writer.shard.isSearched)
    }

    private func enqueue(_ writer: ShardWriter, _ urgency: LinkingUrgency) {
        places[ObjectIdentifier(writer)] = .queued(urgency)
        queues[urgency, default: []].append(writer)
        // Not `signal`: those who wait in `forget` and `stop` wait here too.
        condition.broadcast()
    }

    /// Waits for work, and until there is processor time for it; nil once it is to end.
    private func next(_ urgency: LinkingUrgency) -> ShardWriter? {
        condition.withLock {
            while !stopping {
                let now = DispatchTime.now().uptimeNanoseconds
                endRests(at: now)
                let delay = allowance.wait(at: now)
                if queues[urgency, default: []].isEmpty {
                    wait(nanoseconds: resting.first.map { $0.until - now })
                } else if delay > 0 {
                    wait(nanoseconds: delay)
                } else if let writer = queues[urgency]?.removeFirst() {
                    places[ObjectIdentifier(writer)] = .running(again: false)
                    return writer
                }
            }
            return nil
        }
    }

    /// - Parameter nanoseconds: nil: until something changes.
    private func wait(nanoseconds: UInt64?) {
        guard let nanoseconds else { return condition.wait() }
        _ = condition.wait(until: Date(timeIntervalSinceNow: Double(nanoseconds) / 1e9))
    }

    private func endRests(at now: UInt64) {
        let rested = resting.prefix { $0.until <= now }
        resting.removeFirst(rested.count)
        for (writer, _) in rested { enqueue(writer, urgency(of: writer)) }
    }

    private func done(with writer: ShardWriter, more: Bool, time: UInt64) {
        metrics.maintenanceTime.add(nanoseconds: time)
        let urgency = urgency(of: writer)
        condition.withLock {
            allowance.spend(time)
            let id = ObjectIdentifier(writer)
            if case .running(let again) = places[id], more || again, !stopping {
                if again || time >= Linker.idleSliceNanoseconds { return enqueue(writer, urgency) }
                places[id] = .resting
                resting.append((writer, DispatchTime.now().uptimeNanoseconds + Linker.restNanoseconds))
                return
            }
            places[id] = nil
            condition.broadcast()
        }
    }

    // MARK: The work

    /// One slice for each space; answers whether there is more.
    private func work(on writer: ShardWriter, _ urgency: LinkingUrgency) -> Bool {
        let shard = writer.shard
        var more = false
        var linked = 0
        for (number, space) in shard.spaces.enumerated() {
            let before = space.index.linkedCount
            do throws(KithError) {
                let rebuilt = try link(space, number, of: writer, urgency)
                more = hasWork(space, number, of: writer) || more
                if rebuilt || checkpoints.isDue(space, snapshot: shard.current().snapshot(space: number)) {
                    try writeCheckpoint(space, number, of: writer)
                }
            } catch {
                shardLog.error(
                    "linking or its checkpoint failed", ["shard": "\(shard.id)", "space": space.space.name, "error": "\(error)"])
            }
            linked = max(linked, Int(space.index.linkedCount) - Int(before))
        }
        writer.tailChanged(linked: linked)
        return more
    }

    private func hasWork(_ space: SpaceStore, _ number: Int, of writer: ShardWriter) -> Bool {
        space.maintained.hasWork(
            upTo: writer.shard.current().slotCounts[number], isPaused: writer.isMaintenancePaused)
    }

    /// Whether another index serves searches from now on.
    private func link(
        _ space: SpaceStore, _ number: Int, of writer: ShardWriter, _ urgency: LinkingUrgency
    ) throws(KithError) -> Bool {
        guard hasWork(space, number, of: writer) else { return false }
        let shard = writer.shard
        let place = ["shard": "\(shard.id)", "space": space.space.name]
        let before = space.index.linkedCount
        let rebuilt = try space.maintained.link(
            upTo: shard.current().snapshot(space: number), limit: Linker.sliceVectors, inHurry: urgency == .urgent,
            isPaused: writer.isMaintenancePaused
        ) { error in
            metrics.indexRebuildFailures.add()
            shardLog.error("an index could not be made anew", place.merging(["error": "\(error)"]) { $1 })
        }
        space.releaseMapped()
        guard let rebuilt else {
            metrics.linkedVectors.add(Int(space.index.linkedCount) - Int(before))
            return false
        }
        // What was measured was measured of the other.
        space.recallMeter.reset()
        metrics.indexRebuilds.add(rebuilt.rawValue)
        shardLog.info(
            "an index was made anew",
            place.merging(["reason": rebuilt.rawValue, "kind": space.maintained.live.definition.kind]) { $1 })
        return true
    }

    /// Writes the checkpoints that are worth it, of a shard that was forgotten.
    func writeFinalCheckpoints(_ writer: ShardWriter) {
        for (number, space) in writer.shard.spaces.enumerated() {
            let snapshot = writer.shard.current().snapshot(space: number)
            guard checkpoints.isDueAtClose(space, snapshot: snapshot) else { continue }
            do throws(KithError) { try writeCheckpoint(space, number, of: writer) } catch {
                shardLog.error("a checkpoint failed", ["shard": "\(writer.shard.id)", "error": "\(error)"])
            }
        }
    }

    /// Writes the checkpoint of one space. The caller sees to it that nobody links meanwhile.
    private func writeCheckpoint(_ space: SpaceStore, _ number: Int, of writer: ShardWriter) throws(KithError) {
        let snapshot = writer.shard.current().snapshot(space: number)
        try space.writeCheckpoint(at: snapshot) { () throws(KithError) in try writer.settle() }
        metrics.checkpoints.add()
    }
}
