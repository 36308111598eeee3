import Foundation
import TestSupport
import Testing

/// Webhooks of the built server against a real HTTPS endpoint, which checks the signatures by code of its own.
@Suite("Webhooks", .serverOutput, .enabled(if: Receiver.isPossible, "needs a Python (KITH_PYTHON) and openssl"))
struct WebhookTests {
    private let receiver: Receiver
    private let server: ServerProcess

    init() throws {
        receiver = try Receiver()
        server = try ServerProcess([
            "--webhooks.ca-file", receiver.certificate, "--webhooks.first-retry-milliseconds", "10",
            "--webhooks.last-retry-milliseconds", "100", "--change-log-bytes", "1048576",
        ])
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")], shards: 2)
    }

    private var connection: Connection { server.connection }

    @discardableResult
    private func hook(_ name: String, _ path: String, _ more: [String: JSON] = [:]) throws -> JSON {
        var webhook: JSON = ["name": .text(name), "url": receiver.url(path)]
        for (field, value) in more { webhook[field] = value }
        return try connection.call(
            .createWebhook, ["webhook": webhook, "secret": .text(Receiver.secrets[0]), "start": "START_EARLIEST"])
    }

    private func upsert(_ numbers: Range<Int>, round: Int = 0) throws {
        try connection.upsert("docs", numbers.map { Make.point($0, [Float($0), 1], payload: #"{"round":\#(round)}"#) })
    }

    private func webhook(_ name: String) throws -> JSON { try connection.call(.getWebhook, ["name": .text(name)]) }

    /// Polls until a webhook is as wanted. The change stream's heartbeats give the pace.
    private func wait(_ name: String, until isSo: (JSON) throws -> Bool) throws {
        let beat = try connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        var last: JSON = .null
        repeat {
            last = try webhook(name)
            if try isSo(last) { return beat.cancel() }
        } while try beat.read() != nil
        Issue.record("not so within a minute: \(last)")
    }

    private func waitUntilDelivered(_ name: String) throws { try wait(name) { $0["lagCommits"].integer == 0 } }

    /// Every event of the log came, each shard's in its order; copies are the same events.
    private func checkComplete(_ requests: [Receiver.Request], allowsCopies: Bool = false) throws {
        let replay = try ChangeReplay(connection, "docs")
        try replay.catchUp(connection)
        var seen: Set<String> = []
        var last: [String: (Int, Int)] = [:]
        for event in requests.flatMap(\.events) {
            let place = event.place
            guard seen.insert(event.id).inserted else {
                #expect(allowsCopies, "\(event.id) came twice")
                continue
            }
            #expect((last[place.shard] ?? (0, -1)) < (place.position, place.index), "\(event.id) is out of order")
            last[place.shard] = (place.position, place.index)
        }
        #expect(UInt64(seen.count) == replay.events)
    }

    @Test func everyEventComesSignedAndInOrder() throws {
        try hook("all", "/ok/")
        for part in 0..<20 { try upsert(part * 5..<part * 5 + 10, round: part) }
        try connection.call(.delete, ["collection": "docs", "ids": [Make.id(3)]])
        try waitUntilDelivered("all")
        let requests = receiver.requests()
        #expect(requests.allSatisfy { $0.signed == [0] && $0.events.count == 1 && $0.type == "application/json" })
        try checkComplete(requests)
        let deletion = try #require(requests.last { $0.events[0].subject == "points/3" }?.events.first)
        #expect(deletion.type == "io.kith.point.deleted.v1")
        #expect(deletion.data["op"] == "CHANGE_OPERATION_DELETE" && deletion.data["id"].string == deletion.id)
    }

    @Test func batchesAreOfOneShardAndComplete() throws {
        try hook("batches", "/ok/", ["mode": "MODE_BATCH", "batchEvents": 7])
        try upsert(0..<100)
        try upsert(50..<150)
        try waitUntilDelivered("batches")
        let requests = receiver.requests()
        #expect(requests.allSatisfy { $0.type.hasPrefix("application/cloudevents-batch+json") && $0.signed == [0] })
        #expect(requests.allSatisfy { Set($0.events.map(\.place.shard)).count == 1 && $0.events.count <= 7 })
        #expect(requests.contains { $0.events.count == 7 })
        try checkComplete(requests)
    }

    @Test func filtersAndPolicies() throws {
        try connection.create("other", [Make.space(dimension: 2, metric: "L2")])
        try hook(
            "some", "/ok/",
            ["collections": ["docs"], "operations": ["CHANGE_OPERATION_DELETE"], "vectors": "VECTORS_FULL"])
        try upsert(0..<10)
        try connection.upsert("other", [Make.point(1, [1, 1])])
        try connection.call(.delete, ["collection": "other", "ids": [Make.id(1)]])
        try connection.call(.delete, ["collection": "docs", "ids": [Make.id(4)]])
        try waitUntilDelivered("some")
        let events = receiver.requests().flatMap(\.events)
        #expect(events.map(\.subject) == ["points/4"])
        #expect(events.first?.data["before"]["vectors"][0]["data"].string?.isEmpty == false)
    }

    @Test func failuresAreTriedAgainInOrder() throws {
        try hook("flaky", "/flaky/2/")
        try upsert(0..<20)
        try waitUntilDelivered("flaky")
        let requests = receiver.requests()
        #expect(requests.count == 60)
        try checkComplete(requests.filter { $0.attempt == 3 })
        // No other event of a shard comes between the attempts at one.
        for requests in Dictionary(grouping: requests, by: \.events[0].place.shard).values {
            #expect(requests.map(\.attempt) == (0..<requests.count).map { $0 % 3 + 1 })
        }
    }

    @Test func retryAfterIsHonoured() throws {
        try hook("later", "/wait/1/")
        try upsert(0..<1)
        try waitUntilDelivered("later")
        let times = receiver.requests().map(\.time)
        #expect(times.count == 2 && times[1] - times[0] >= 1)
    }

    @Test(arguments: ["MODE_SINGLE", "MODE_BATCH"])
    func aPoisonEventBecomesADeadLetterAndBlocksNobody(mode: String) throws {
        try hook("picky", "/poison/7", ["attempts": 3, "mode": .text(mode)])
        try upsert(0..<30)
        try waitUntilDelivered("picky")
        let letters = try connection.call(.listDeadLetters, ["webhook": "picky", "values": true])["letters"].list
        #expect(letters.count == 1 && letters[0]["error"].string?.contains("400") == true)
        #expect(try webhook("picky")["deadLetters"].integer == 1)
        let delivered = receiver.requests().filter { !$0.events.contains { $0.subject == "points/7" } }
        #expect(Set(delivered.flatMap(\.events).map(\.subject)).count == 29)
        let outcomes = try connection.call(.listDeliveries, ["webhook": "picky"])["deliveries"].list.map { $0["outcome"] }
        #expect(outcomes.contains("OUTCOME_DEAD_LETTERED") && outcomes.contains("OUTCOME_DELIVERED"))
        // Somewhere else it is taken; a dead letter survives a restart.
        try server.restart()
        try connection.call(
            .updateWebhook, ["webhook": ["name": "picky", "url": receiver.url("/ok/redelivered")], "updateMask": "url"])
        let queued = try connection.call(.redeliverDeadLetters, ["webhook": "picky", "ids": [letters[0]["id"]]])
        #expect(queued["queued"] == 1)
        try wait("picky") { $0["deadLetters"] == 0 && $0["queuedLetters"] == 0 }
        let again = receiver.requests("/ok/redelivered").flatMap(\.events)
        #expect(again.last?.subject == "points/7" && again.last?.id == letters[0]["id"].string)
    }

    @Test func aSlowEndpointSlowsOnlyItself() throws {
        try hook("slow", "/slow/20000/")
        try hook("fast", "/ok/")
        for part in 0..<10 { try upsert(part * 10..<part * 10 + 10) }
        try waitUntilDelivered("fast")
        #expect(receiver.requests("/ok/").count == 100)
        #expect(try webhook("slow")["lagCommits"].integer ?? 0 > 0)
        // A stop does not wait for it either.
        #expect(server.terminate() == 0)
    }

    @Test func goneDisables() throws {
        try hook("gone", "/gone/")
        try upsert(0..<5)
        try wait("gone") { $0["state"] == "STATE_DISABLED" }
        let webhook = try webhook("gone")
        #expect(webhook["reason"] == "REASON_GONE" && webhook["holdsLog"] == false)
        #expect(receiver.requests().count == 1)
        // Stays so over a restart, and goes on where it stood.
        try server.restart()
        try connection.call(
            .updateWebhook, ["webhook": ["name": "gone", "url": receiver.url("/ok/")], "updateMask": "url"])
        #expect(try self.webhook("gone")["state"] == "STATE_DISABLED")
        #expect(try connection.call(.resumeWebhook, ["name": "gone"])["missedCommits"] == "0")
        try waitUntilDelivered("gone")
        try checkComplete(receiver.requests("/ok/"))
    }

    @Test func redirectsAreNotFollowed() throws {
        try hook("moved", "/moved/", ["attempts": 2])
        try upsert(0..<1)
        try wait("moved") { $0["deadLetters"] == 1 }
        #expect(receiver.requests("/ok/").isEmpty)
        #expect(try webhook("moved")["lastError"].string?.contains("redirects are not followed") == true)
    }

    @Test func nothingIsLostWhenServerAndEndpointDie() throws {
        try hook("all", "/ok/")
        for round in 0..<5 {
            try upsert(round * 20..<round * 20 + 30, round: round)
            if round % 2 == 0 { receiver.kill() }
            server.kill()
            try server.restart()
            try upsert(round * 10..<round * 10 + 10, round: round + 100)
            if round % 2 == 0 { try receiver.restart() }
        }
        try waitUntilDelivered("all")
        let requests = receiver.requests()
        #expect(requests.allSatisfy { $0.signed == [0] })
        try checkComplete(requests, allowsCopies: true)
        // A copy is the same message.
        let messages = Dictionary(grouping: requests, by: \.message).values
        #expect(messages.allSatisfy { Set($0.flatMap(\.events).map(\.id)).count == 1 })
    }

    @Test func twoSecretsSignWhileOneGoes() throws {
        let made = try hook("rotating", "/ok/")
        #expect(made["secret"].string == Receiver.secrets[0])
        #expect(try webhook("rotating")["secret"] == .null)
        try connection.call(.rotateWebhookSecret, ["name": "rotating", "secret": .text(Receiver.secrets[1])])
        try upsert(0..<1)
        try waitUntilDelivered("rotating")
        try connection.call(
            .rotateWebhookSecret, ["name": "rotating", "secret": .text(Receiver.secrets[1]), "keepSeconds": 0])
        try upsert(1..<2)
        try waitUntilDelivered("rotating")
        #expect(receiver.requests().map(\.signed) == [[0, 1], [1]])
    }

    @Test func aDeadEndpointLetsGoOfTheLogLoudly() throws {
        receiver.kill()
        try hook("dead", "/ok/")
        try upsert(0..<1)
        let text = String(repeating: "x", count: 20_000)
        func fill() throws { try connection.upsert("docs", [Make.point(1, [1, 1], payload: #"{"text":"\#(text)"}"#)]) }
        // More than the log may hold: were it held for ever, writes would be refused.
        try wait("dead") {
            if $0["state"] == "STATE_PAUSED" { return true }
            for _ in 0..<5 { try? fill() }
            return false
        }
        let webhook = try webhook("dead")
        #expect(webhook["reason"] == "REASON_CHANGE_LOG_FULL" && webhook["holdsLog"] == false)
        #expect(server.output.contains("the change log waits for it no more"))
        // Now the log is trimmed, so that writes go on; also after a restart.
        try server.restart()
        try wait("dead") { _ in
            try? fill()
            let earliest = try connection.call(.getPositions, ["collection": "docs"])["earliest"].list
            return earliest.contains { $0["position"].integer ?? 0 > 1 }
        }
        try fill()
        try receiver.restart()
        let resumed = try connection.call(.resumeWebhook, ["name": "dead"])
        #expect(resumed["missedCommits"].integer ?? 0 > 0)
        try waitUntilDelivered("dead")
        #expect(receiver.requests().isEmpty == false)
    }

    @Test func aTestSaysWhatTheEndpointSays() throws {
        try hook("tested", "/ok/")
        let good = try connection.call(.testWebhook, ["name": "tested"])
        #expect(good["status"] == 204 && good["outcome"] == "OUTCOME_TEST")
        #expect(receiver.requests().first?.events.first?.type == "io.kith.webhook.test.v1")
        #expect(receiver.requests().first?.signed == [0])
        receiver.kill()
        let bad = try connection.call(.testWebhook, ["name": "tested"])
        #expect(bad["status"] == 0 && bad["error"].string?.isEmpty == false)
    }

    @Test func pauseDeleteAndList() throws {
        try hook("b", "/ok/b")
        try hook("a", "/ok/a")
        try connection.call(.pauseWebhook, ["name": "a"])
        try upsert(0..<3)
        try waitUntilDelivered("b")
        #expect(receiver.requests("/ok/a").isEmpty)
        let listed = try connection.call(.listWebhooks, [:])["webhooks"].list
        #expect(listed.map { $0["name"] } == ["a", "b"] && listed[0]["reason"] == "REASON_REQUESTED")
        try connection.call(.deleteWebhook, ["name": "b"])
        #expect(throws: CallError.self) { try webhook("b") }
        try connection.call(.resumeWebhook, ["name": "a"])
        try waitUntilDelivered("a")
        try checkComplete(receiver.requests("/ok/a"))
    }

    @Test func theCommandLine() throws {
        func kith(_ arguments: [String]) throws -> ChildProcess {
            let process = try ChildProcess(
                TestEnvironment.binary, ["webhooks"] + arguments + ["--address", server.address])
            process.wait()
            return process
        }
        let url = "https://localhost:\(receiver.port)/ok/"
        let made = try kith(["create", "hook", "--url", url, "--collections", "docs", "--secret", Receiver.secrets[0]])
        #expect(made.output.contains("created hook") && made.output.contains(Receiver.secrets[0]))
        try upsert(0..<2)
        try waitUntilDelivered("hook")
        #expect(try kith([]).output.contains("active"))
        #expect(try kith(["test", "hook"]).output.contains("status 204"))
        #expect(try kith(["deliveries", "hook"]).output.contains("delivered"))
        #expect(try kith(["update", "hook", "--attempts", "3"]).output.contains("updated hook"))
        #expect(try kith(["pause", "hook"]).output.contains("paused (requested)"))
        #expect(try kith(["resume", "hook"]).output.contains("active"))
        #expect(try kith(["dead-letters", "hook"]).output.contains("GIVEN UP"))
        #expect(try kith(["redeliver", "hook"]).output.contains("queued 0"))
        #expect(try kith(["rotate-secret", "hook"]).output.contains("whsec_"))
        #expect(try kith(["delete", "hook"]).wait() == 0)
    }
}
