import Foundation
import KithAPI
import KithCore

/// `kith events`.
enum EventsCommand {
    private static let getEvent = "/kith.v1.ChangeService/GetEvent"
    private static let method = "/kith.v1.EventService/GetEventStatus"

    static let description = CommandDescription(
        name: "events", summary: "Show how change events reach Kafka: what is published, what waits, what fails; or one event",
        operands: ["[status|get]", "[COLLECTION|ID]"],
        options: Connection.options + [
            Option(name: "json", value: nil, help: "answer in JSON"),
            Option(name: "vectors", value: nil, help: "get: with whole vectors"),
        ],
        notes: [
            "  kith events status",
            "  kith events status films --json",
            "  kith events get kith/1.0/130/2",
            "Exits with 1 where a shard's relay stands still. Documentation/events-runbook.md says what to do then.",
        ]
    ) { arguments throws(KithError) in
        let action = arguments.operands.first ?? "status"
        if action == "get" { return try get(arguments) }
        guard action == "status" else { throw .usage("'kith events' has no action '\(action)', only status and get") }
        guard arguments.operands.count <= 2 else { throw .usage("'kith events status' takes one collection") }
        let collection = arguments.operands.dropFirst().first ?? ""
        return try Connection.with(arguments) { client throws(KithError) in
            let status: EventStatus = try client.call(method, ["collection": collection])
            if arguments.flag("json") {
                let request = Data("{\"collection\":\(PointText.quoted(collection))}".utf8)
                Console.print(String(decoding: try client.callJSON(method, request), as: UTF8.self))
            } else {
                show(status)
            }
            return status.shards.allSatisfy(\.failureReason.isEmpty) ? ExitCode.success : ExitCode.failure
        }
    }

    /// Prints a `ChangeEvent` as JSON.
    private static func get(_ arguments: Arguments) throws(KithError) -> Int32 {
        guard arguments.operands.count == 2 else { throw .usage("'kith events get' takes one id of an event") }
        let vectors = arguments.flag("vectors")
        let request = Data("{\"id\":\(PointText.quoted(arguments.operands[1])),\"vectors\":\(vectors)}".utf8)
        return try Connection.with(arguments) { client throws(KithError) in
            Console.print(String(decoding: try client.callJSON(getEvent, request), as: UTF8.self))
            return ExitCode.success
        }
    }

    private static func show(_ status: EventStatus) {
        let log = "change log  \(number(status.changeLogBytes)) of \(number(status.changeLogLimitBytes)) bytes"
        guard status.enabled else {
            Console.print("Kafka       off: changes wait in the log (--kafka.brokers turns it on)")
            return Console.print(log)
        }
        Console.print("Kafka       \(status.brokers), \(status.delivery)")
        Console.print(
            "published   \(number(status.publishedEvents)) events, \(number(status.publishedBytes)) bytes since the start; "
                + "\(grouped(UInt64(status.eventsPerSecond))) events/s; \(number(status.errors)) errors")
        Console.print(log)
        if !status.trouble.isEmpty { Console.print("trouble     \(status.trouble)") }
        Console.print("")
        var table = Table(
            header: ["COLLECTION", "SHARD", "PUBLISHED", "LAST", "WAITING", "EVENTS", "BYTES", "OLDEST", "STATE"],
            rightAligned: [1, 2, 3, 4, 5, 6, 7])
        for shard in status.shards {
            let about = shard.estimated ? "~" : ""
            let age = Duration.milliseconds(Int64(shard.oldestAgeMilliseconds) ?? 0)
            table.rows.append([
                shard.collection, "\(shard.shard)", number(shard.publishedPosition), number(shard.lastPosition),
                number(shard.waitingCommits), about + number(shard.waitingEvents), about + number(shard.waitingBytes),
                age == .zero ? "-" : seconds(age), shard.failureReason.isEmpty ? "runs" : shard.failureReason,
            ])
        }
        table.printAll()
        for shard in status.shards {
            guard let text = stateSnapshot(shard) else { continue }
            Console.print("\(shard.collection)/\(shard.shard): \(text)")
        }
        for shard in status.shards where !shard.failureReason.isEmpty {
            Console.print("\(shard.collection)/\(shard.shard): \(shard.failureMessage)")
        }
    }

    /// How points written before the state topic come into it; nil where none are left to.
    private static func stateSnapshot(_ shard: EventStatus.Shard) -> String? {
        switch shard.stateSnapshotState {
        case "STATE_SNAPSHOT_STATE_WAITING": "points written earlier wait to come into the state topic"
        case "STATE_SNAPSHOT_STATE_RUNNING":
            "\(number(shard.stateSnapshotPoints)) points written earlier are in the state topic, more follow"
        default: nil
        }
    }

    /// 64-bit numbers are text in protobuf's JSON.
    private static func number(_ text: String) -> String { UInt64(text).map { grouped($0) } ?? text }
}

/// A `GetEventStatusResponse`.
private struct EventStatus: Decodable {
    struct Shard: Decodable {
        var collection: String
        var shard: Int
        var publishedPosition, lastPosition, waitingCommits, waitingEvents, waitingBytes, oldestAgeMilliseconds: String
        var estimated: Bool
        var failureReason, failureMessage: String
        var stateSnapshotPoints, stateSnapshotState: String
    }
    var enabled: Bool
    var brokers, delivery, trouble: String
    var eventsPerSecond: Double
    var publishedEvents, publishedBytes, errors, changeLogBytes, changeLogLimitBytes: String
    var shards: [Shard]
}
