import TestSupport
import Testing

/// Single events by their ids.
@Suite(.serverOutput) struct GetEventTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")])
        try server.connection.upsert("docs", [Make.point(1, [1, 1], payload: #"{"n":1}"#), Make.point(2, [2, 2])])
        try server.connection.call(.delete, ["collection": "docs", "ids": [Make.id(2)]])
    }

    @Test(arguments: [false, true]) func isWhatTheSubscriptionCarries(withVectors: Bool) throws {
        let stream = try connection.open(
            .subscribe, ["collection": "docs", "start": "START_POSITION", "vectors": .bool(withVectors)])
        var events: [JSON] = []
        while events.count < 3, let message = try stream.read() { events += message["events"].list }
        stream.cancel()
        #expect(events.map { $0["id"] } == ["kith/1.0/1/0", "kith/1.0/1/1", "kith/1.0/2/0"])
        for event in events {
            let answer = try connection.call(.getEvent, ["id": event["id"], "vectors": .bool(withVectors)])
            #expect(answer["event"] == event)
        }
    }

    @Test func theCommandPrintsIt() throws {
        let command = try ChildProcess(TestEnvironment.binary, ["events", "get", "kith/1.0/2/0", "--address", server.address])
        #expect(command.wait() == 0, "\(command.output)")
        #expect(command.output.contains("CHANGE_OPERATION_DELETE"), "\(command.output)")
    }

    @Test(arguments: ["kith/1.0/1/2", "kith/1.0/3/0", "kith/1.1/1/0", "kith/2.0/1/0", "other/1.0/1/0"])
    func thereIsNone(id: String) throws {
        let error = #expect(throws: CallError.self) { try connection.call(.getEvent, ["id": .text(id)]) }
        #expect(error?.code == .notFound && error?.reason == "EVENT_NOT_FOUND" && error?.fields == ["id"], "\(id)")
    }
}
