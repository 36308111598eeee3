import CMemory
import Foundation
import KithCore
import KithIndex
import KithTelemetry
import Synchronization

/// Threads that link fresh vectors into their indexes, and write checkpoints, behind everybody else's back.
///
/// A shard with something to do stands in the queue once; a thread takes it, does a slice of its work, and puts it back while there is more.
/// So a shard is on one thread at a time, and big shards do not starve small ones.
final class Linker: @unchecked Sendable {
    /// Vectors linked in one slice: short, so that the queue moves on and progress shows.
    private static let sliceVectors = 512
    /// How much gentler than a search a linking thread is to be scheduled.
    private static let niceness: Int32 = 10

    private let condition = NSCondition()
    private var queue: [ShardWriter] = []
    /// Shards that stand in the queue or are being worked on, and whether they were woken meanwhile.
    private var known: [ObjectIdentifier: Bool] = [:]
    private var stopping = false
    private var threads: [Thread] = []
    private let metrics: Metrics
    private let checkpoints: CheckpointPolicy

    init(threads count: Int, metrics: Metrics, checkpoints: CheckpointPolicy) {
        self.metrics = metrics
        self.checkpoints = checkpoints
        for number in 0..<max(count, 1) {
            let thread = Thread { [unowned self] in self.run() }
            thread.name = "kith.linker.\(number)"
            // Linking neighbour lists needs little stack; searches' scratch is on the heap.
            thread.stackSize = 1 << 20
            threads.append(thread)
        }
        for thread in threads { thread.start() }
    }

    /// There may be something to link in this shard.
    func wake(_ writer: ShardWriter) {
        condition.withLock {
            guard !stopping else { return }
            if known[ObjectIdentifier(writer)] != nil {
                known[ObjectIdentifier(writer)] = true
                return
            }
            known[ObjectIdentifier(writer)] = false
            queue.append(writer)
            condition.signal()
        }
    }

    /// Waits until the shard is neither queued nor worked on, keeping it from coming back; for deleting it.
    func forget(_ writer: ShardWriter) {
        condition.withLock {
            queue.removeAll { $0 === writer }
            if running.contains(ObjectIdentifier(writer)) {
                forgotten.insert(ObjectIdentifier(writer))
                while running.contains(ObjectIdentifier(writer)) { condition.wait() }
            }
            forgotten.remove(ObjectIdentifier(writer))
            known[ObjectIdentifier(writer)] = nil
        }
    }
    private var running: Set<ObjectIdentifier> = []
    private var forgotten: Set<ObjectIdentifier> = []

    /// Ends after the slices under way.
    func stop() {
        condition.withLock {
            stopping = true
            queue.removeAll()
            condition.broadcast()
            while liveThreads > 0 { condition.wait() }
        }
    }
    private var liveThreads: Int { threads.count - endedThreads }
    private var endedThreads = 0

    // MARK: The threads

    private func run() {
        kith_set_thread_niceness(Linker.niceness)
        while let writer = next() {
            let more = work(on: writer)
            done(with: writer, more: more)
        }
        condition.withLock {
            endedThreads += 1
            condition.broadcast()
        }
    }

    private func next() -> ShardWriter? {
        condition.withLock {
            while queue.isEmpty, !stopping { condition.wait() }
            guard !stopping else { return nil }
            let writer = queue.removeFirst()
            running.insert(ObjectIdentifier(writer))
            return writer
        }
    }

    private func done(with writer: ShardWriter, more: Bool) {
        condition.withLock {
            let id = ObjectIdentifier(writer)
            running.remove(id)
            if (more || known[id] == true), !stopping, !forgotten.contains(id) {
                known[id] = false
                queue.append(writer)
                condition.signal()
            } else {
                known[id] = nil
            }
            if stopping || forgotten.contains(id) { condition.broadcast() }
        }
    }

    /// One slice for each space; answers whether there is more.
    private func work(on writer: ShardWriter) -> Bool {
        let shard = writer.shard
        var more = false
        for (number, space) in shard.spaces.enumerated() {
            do throws(KithError) {
                more = try link(space, number, of: shard) || more
                if checkpoints.isDue(space, snapshot: shard.current().snapshot(space: number)) {
                    try writeCheckpoint(space, number, of: writer)
                }
            } catch {
                shardLog.error(
                    "linking or its checkpoint failed", ["shard": "\(shard.id)", "space": space.space.name, "error": "\(error)"])
            }
        }
        writer.linkerProgressed()
        return more
    }

    private func link(_ space: SpaceStore, _ number: Int, of shard: Shard) throws(KithError) -> Bool {
        guard space.links else { return false }
        let slotCount = shard.current().slotCounts[number]
        let before = space.index.linkedCount
        guard before < slotCount else { return false }
        let linked = try space.index.link(upTo: slotCount, limit: Linker.sliceVectors)
        metrics.linkedVectors.add(Int(linked - before))
        return linked < slotCount
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
    func writeCheckpoint(_ space: SpaceStore, _ number: Int, of writer: ShardWriter) throws(KithError) {
        let snapshot = writer.shard.current().snapshot(space: number)
        try space.writeCheckpoint(at: snapshot) { () throws(KithError) in try writer.settle() }
        metrics.checkpoints.add()
    }
}
