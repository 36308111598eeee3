import Foundation
import KithEvents
import TestSupport
import Testing

/// A real server's topics through a real `kith-consume governance follow` that is killed on the way.
@Suite("Live governance", .serverOutput)
struct LiveGovernanceTests {
    private static let policies = #"""
        {"policies": [
          {"name": "owned", "required_labels": ["owner"], "collections": ["digests", "images"]},
          {"name": "models", "collections": ["digests"], "allowed_models": ["sentence-transformers/*"]},
          {"name": "pii", "forbidden_fields": ["ssn"], "collections": ["images"]},
          {"name": "gone", "max_retention": "30d", "collections": ["visits"]}
        ]}
        """#

    private func governance(_ command: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = try Consuming.run(["governance", command] + arguments)
        return (process.wait(), process.output)
    }

    private func json(_ text: String) throws -> JSON { try JSONDecoder().decode(JSON.self, from: Data(text.utf8)) }

    @Test(arguments: TestBroker.kinds) func knowsWhatWasDecidedAndWhatDoesNotHold(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: EveryEvent.collections)
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--events.audit", "all"])
        let folder = try TemporaryFolder()
        try LiveGovernanceTests.policies.write(toFile: folder("policies"), atomically: true, encoding: .utf8)
        let state = ["--folder", folder("state")]
        let follower = LiveConsumer(["governance", "follow", "--policies", folder("policies")] + state, broker)
        var generator = SeededGenerator(seed: 91)
        for (number, step) in EveryEvent.steps.enumerated() {
            guard number % 2 == 1 else {
                try step(try EveryEvent(server))
                continue
            }
            try [follower].runAndKill(after: 0...1, &generator) { try step(try EveryEvent(server)) }
        }
        try EveryEvent.waitUntilPublished(server, to: broker)
        let last = try follower.readToEnd()
        #expect(last.status == 0, "\(last.output)")

        let violations = try governance("violations", state + ["--json"])
        #expect(violations.status == 1)
        let found = try violations.output.split(separator: "\n").map { try json(String($0)) }
        let wanted = [
            "gone collections/visits/retention", "models collections/digests/vectorSpaces/image",
            "owned collections/images/labels/owner", "pii collections/images/fields/ssn",
        ]
        #expect(found.map { "\($0["policy"].string ?? "") \($0["resource"].string ?? "")" } == wanted)
        // Four points were written twice; one of them was changed again with the field, one without.
        #expect(found.last?["count"] == 9)
        #expect(!violations.output.contains("078-05"), "values are not repeated")
        let told = try broker.records(of: "kith.violations.v1")
        #expect(
            Set(told.map { String(decoding: $0.key, as: UTF8.self) })
                == Set(wanted.compactMap { $0.split(separator: " ").last.map(String.init) }))

        let collections = try json(try governance("catalogue", state + ["--json"]).output)
        #expect(collections["images"]["classification"] == "internal")
        #expect(collections["images"]["fields"]["person.email"]["classification"] == "restricted")
        #expect(collections["digests"]["labels"]["owner"] == "platform" && collections["digests"]["changes"] == 14)
        #expect(collections["digests"]["writers"] == ["alice": 14])
        #expect(collections["short"] == .null)
        let decisions = try json(try governance("decisions", state + ["--json"]).output)
        #expect(decisions["models"]["minilm@2"] == "search")
        #expect(decisions["holds"]["case-1"]["stands"] == false && decisions["holds"]["case-2"]["stands"] == true)
        #expect(decisions["retentions"]["visits"] == ["maxAgeSeconds": 0, "field": "", "deleted": 1])
        let erasure = decisions["erasures"]["gdpr-1"]
        #expect(erasure["deleted"] == 2 && erasure["requested"] == 2 && erasure["collection"] == "images")

        let points = ["--collection", "images"] + EveryEvent.erased.flatMap { ["--id", $0] }
        let proof = try governance("prove-erasure", points + ["--address", server.address, "--erasure", "gdpr-1"])
        #expect(proof.status == 0, "\(proof.output)")
        let inTopics = try governance("prove-erasure", points + ["--kafka.brokers", broker.address])
        let findings = try json(inTopics.output)["findings"].list
        #expect(inTopics.status == 1 && findings.map { $0["remaining"] } == [2, 2], "earlier events stay: \(inTopics.output)")
        #expect(findings[1]["note"].string?.hasPrefix("0 without a tombstone") == true)
        let others = ["--collection", "digests", "--id", "9", "--address", server.address]
        #expect(try governance("prove-erasure", others).status == 1)
        #expect(server.terminate() == 0)
    }
}
