import TestSupport
import Testing

/// An event of the change log, as far as the campaign compares it.
struct LogEvent: Equatable {
    var id: String
    var shard: Int
    var position: UInt64
    var index: Int
    var count: Int
    var requestID: String
    var point: String
    /// Nil for a deletion.
    var payload: String?

    init(_ event: JSON) {
        let source = event["source"]
        id = event["id"].string ?? ""
        shard = Int(source["shard"].integer ?? 0)
        position = source["position"].integer ?? 0
        index = Int(source["index"].integer ?? 0)
        count = Int(source["count"].integer ?? 0)
        requestID = source["requestId"].string ?? ""
        point = (event["after"] == .null ? event["before"] : event["after"])["id"]["number"].string ?? ""
        payload = event["after"]["payloadJson"].string
    }
}

extension Connection {
    /// The whole log, shard by shard, checked to be without holes.
    func log(_ collection: String) throws -> [[LogEvent]] {
        let latest = try call(.getPositions, ["collection": .text(collection)])["latest"].list.map { $0["position"].integer ?? 0 }
        let stream = try open(
            .subscribe, ["collection": .text(collection), "start": "START_POSITION", "heartbeatMilliseconds": 100],
            timeoutMilliseconds: 600_000)
        var events = latest.map { _ in [LogEvent]() }
        func isComplete() -> Bool {
            zip(events, latest).allSatisfy { events, last in
                guard let end = events.last else { return last == 0 }
                return end.position >= last && end.index == end.count - 1
            }
        }
        while !isComplete(), let message = try stream.read() {
            for event in message["events"].list.map(LogEvent.init) {
                let before = events[event.shard].last
                let follows =
                    before.map {
                        $0.index + 1 < $0.count
                            ? event.position == $0.position && event.index == $0.index + 1
                            : event.position == $0.position + 1 && event.index == 0
                    } ?? (event.position == 1 && event.index == 0)
                #expect(follows, "\(event.id) follows \(before?.id ?? "nothing")")
                events[event.shard].append(event)
            }
        }
        #expect(isComplete(), "the log ends before its last commit")
        stream.cancel()
        return events
    }

    /// Payloads by point.
    func payloads(_ collection: String) throws -> [String: String] {
        let stream = try open(.export, ["collection": .text(collection), "select": ["payload": true]])
        var found: [String: String] = [:]
        while let part = try stream.read() {
            for point in part["points"].list { found[point["id"]["number"].string ?? ""] = point["payloadJson"].string }
        }
        try stream.finish()
        return found
    }
}
