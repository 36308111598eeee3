import Foundation
import Synchronization
import TestSupport
import Testing

/// Power is lost while the server writes: what was not synced is dropped, torn or reordered, and the server opens what is left.
@Suite("Power loss", .serialized)
struct PowerLossTests {
    private static let collection = "points"

    /// What a subscriber saw, and how long the journal was then.
    private struct Sighting {
        var event: LogEvent
        var journal: Int
    }

    /// One run of a server under load, killed, with the journal of its disk.
    private final class Run {
        let folder: TemporaryFolder
        let journal: Journal
        let disk: String
        let writers: [FaultWriter]
        let sightings: [Sighting]
        /// Of the journal, when the collection was there.
        let begin: Int

        init(seed: UInt64) throws {
            let folder = try TemporaryFolder()
            let root = folder("data")
            let path = folder("journal")
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            let server = try ServerProcess(
                ["--log-level", "warning"], data: root,
                environment: ["LD_PRELOAD": TestEnvironment.faults, "KITH_FAULT_ROOT": root, "KITH_FAULT_JOURNAL": path])
            let size: @Sendable () -> Int = { Run.size(of: path) }
            try FaultWriter.create(PowerLossTests.collection, shards: 2, on: server.connection)
            begin = size()
            var random = SeededGenerator(seed: seed)
            let progress = Progress()
            let writers = (0..<3).map { FaultWriter($0, name: "\(seed)", seed: seed, progress: progress, clock: size) }
            let sightings = Mutex<[Sighting]>([])
            let threads = Threads()
            let connection = server.connection
            threads.start { Run.watch(connection, size) { event in sightings.withLock { $0.append(event) } } }
            for writer in writers { threads.start { writer.run(connection, PowerLossTests.collection) { false } } }
            let wanted = Int.random(in: 5...120, using: &random)
            try #require(progress.wait(for: wanted), "\(server.output)")
            server.kill()
            threads.join()
            self.folder = folder
            self.writers = writers
            self.sightings = sightings.withLock { $0 }
            disk = root
            journal = try Journal([UInt8](try Data(contentsOf: URL(filePath: path))))
        }

        private static func size(of path: String) -> Int {
            var status = stat()
            return stat(path, &status) == 0 ? Int(status.st_size) : 0
        }

        private static func watch(_ connection: Connection, _ size: () -> Int, _ take: (Sighting) -> Void) {
            guard
                let stream = try? connection.open(
                    .subscribe, ["collection": .text(PowerLossTests.collection), "start": "START_POSITION"])
            else { return }
            while let message = try? stream.read() {
                let journal = size()
                for event in message["events"].list { take(Sighting(event: LogEvent(event), journal: journal)) }
            }
        }
    }

    @Test(arguments: Campaign.powerLossSeeds)
    func whatWasAcknowledgedOrToldIsThere(seed: UInt64) throws {
        let run = try Run(seed: seed)
        var random = SeededGenerator(seed: seed &+ 1 << 32)
        let first = run.journal.ends.firstIndex { $0 >= run.begin } ?? 0
        for image in 0..<Campaign.images {
            // Half of them when the server was killed, half at any moment before.
            let count = run.journal.entries.count
            let entries = image % 2 == 0 ? count : Int.random(in: first + 1...count, using: &random)
            let folder = try TemporaryFolder()
            let disk = SimulatedDisk(root: run.disk)
            disk.replay(run.journal, count: entries)
            try disk.writeImage(to: folder("data"), &random)
            try check(run, folder("data"), cut: run.journal.ends[entries - 1], "seed \(seed), image \(image)")
        }
    }

    private func check(_ run: Run, _ data: String, cut: Int, _ name: String) throws {
        let server: ServerProcess
        do { server = try ServerProcess(["--log-level", "warning"], data: data) } catch {
            Issue.record("\(name): the server does not open what is left: \(error)")
            return
        }
        let log = try server.connection.log(PowerLossTests.collection)
        for writer in run.writers { writer.check(log, before: cut) }
        try checkCollection(server.connection, PowerLossTests.collection, log)
        // What a reader of changes was told before the power went is never taken back.
        let kept = Dictionary(uniqueKeysWithValues: log.joined().map { ($0.id, $0) })
        for sighting in run.sightings where sighting.journal <= cut {
            #expect(kept[sighting.event.id] == sighting.event, "\(name): \(sighting.event.id) was told and taken back")
        }
        // And it goes on.
        let writer = FaultWriter(9, name: "after", seed: 1)
        try writer.writeOnce(server.connection, PowerLossTests.collection)
        writer.check(try server.connection.log(PowerLossTests.collection))
        #expect(server.terminate() == 0)
    }
}
