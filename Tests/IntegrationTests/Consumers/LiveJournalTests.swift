import Foundation
import KithEvents
import TestSupport
import Testing

/// Everything that a real server tells, in the journal of a real `kith-consume audit follow` that is killed on the way.
@Suite("Live journal", .serverOutput)
struct LiveJournalTests {
    private static let topics =
        ["audit.v1", "catalog.v1", "governance.v1"]
        + EveryEvent.collections.keys.filter { $0 != "short" }.map { "changes.v1.\($0)" }

    private static let operations: Set<String> = [
        "change.create", "change.update", "change.delete", "audit.write", "audit.admin", "audit.read",
        "catalogue.collection.create", "catalogue.collection.update", "catalogue.collection.delete",
        "catalogue.vectorspace.create", "catalogue.index.create", "catalogue.index.update", "catalogue.alias.create",
        "catalogue.alias.update", "catalogue.alias.delete", "governance.modelRegistered", "governance.classified",
        "governance.legalHold", "governance.erasureRequested", "governance.erasureProved", "governance.retentionSet",
        "governance.retentionApplied",
    ]

    /// Runs a command of `kith-consume audit`; answers its lines.
    private func audit(_ command: String, _ arguments: [String]) throws -> [String] {
        let process = try Consuming.run(["audit", command] + arguments)
        #expect(process.wait() == 0, "\(process.output)")
        return process.output.split(separator: "\n").map(String.init)
    }

    @Test(arguments: TestBroker.kinds, ["protobuf", "json"])
    func hasEveryEventOnce(isReal: Bool, encoding: String) throws {
        let broker = try TestBroker(isReal: isReal, collections: EveryEvent.collections)
        let server = try ServerProcess([
            "--kafka.brokers", broker.address, "--events.audit", "all", "--events.encoding", encoding,
        ])
        let folder = try TemporaryFolder()
        try "a secret of the auditors".write(toFile: folder("key"), atomically: true, encoding: .utf8)
        let journal = ["--folder", folder("journal"), "--key-file", folder("key")]
        let follower = LiveConsumer(["audit", "follow", "--segment-bytes", "20000"] + journal, broker)
        var generator = SeededGenerator(seed: 81)
        for (number, step) in EveryEvent.steps.enumerated() {
            guard number % 2 == 1 else {
                try step(try EveryEvent(server))
                continue
            }
            try [follower].runAndKill(after: 0...1, &generator) {
                try step(try EveryEvent(server))
                if number == 1 { try server.restart() }
            }
        }
        try EveryEvent.waitUntilPublished(server, to: broker)
        let last = try follower.readToEnd()
        #expect(last.status == 0, "\(last.output)")
        #expect(try audit("verify", journal).last?.hasPrefix("whole: ") == true)

        let records = try audit("export", journal).map { try JSONDecoder().decode(JSON.self, from: Data($0.utf8)) }
        let events = records.compactMap { $0["event"].string }
        #expect(Set(events).count == records.count, "an event is there twice")
        let published = try LiveJournalTests.topics.flatMap { topic in
            try broker.records(of: "kith.\(topic)", partitions: topic.hasSuffix(".digests") ? 2 : 1).map {
                $0.header("ce_id") ?? ""
            }
        }
        // Whoever waits for the topics is audited too, after the journal was read.
        let missing = Set(published).subtracting(events)
        #expect(missing.allSatisfy { $0.hasPrefix("kith/0.0/") } && Set(events).isSubset(of: published), "\(missing)")
        let operations = Set(records.compactMap { $0["operation"].string })
        #expect(operations.isSuperset(of: LiveJournalTests.operations), "\(LiveJournalTests.operations.subtracting(operations))")
        #expect(!operations.contains { $0 == "unreadable" || $0.hasSuffix(".") || $0.hasSuffix(".event") }, "\(operations)")

        #expect(try audit("query", journal + ["--operation", "change.delete", "--resource", "collections/digests/"]).count == 3)
        #expect(try audit("query", journal + ["--outcome", "failed", "--actor", "alice"]).count == 3)
        let proved = try audit("query", journal + ["--operation", "governance.erasureProved"]).first ?? ""
        #expect(proved.contains("  erasure  ") && proved.contains("  erasures/gdpr-1  "), "\(proved)")
        let request = try audit("query", journal + ["--request", "m-1"])
        #expect(request.filter { $0.contains("  alice  ") }.count == 2, "the model, and that somebody asked: \(request)")
        #expect(server.terminate() == 0)
    }
}
