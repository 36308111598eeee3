import Foundation
import KithEvents
import TestSupport

/// One event of each shape that a server publishes.
struct RecordedTopics {
    private(set) var events: [RecordedEvent]

    private init(_ events: some Sequence<RecordedEvent>) throws {
        // Of events of one shape the one whose text comes first: whichever came first may differ from run to run.
        var first: [String: (text: String, event: RecordedEvent)] = [:]
        for event in events {
            let text = try event.text
            if first[event.shape].map({ text < $0.text }) ?? true { first[event.shape] = (text, event) }
        }
        self.events = first.sorted { ($0.value.event.type, $0.key) < ($1.value.event.type, $1.key) }.map(\.value.event)
    }

    var shapes: Set<String> { Set(events.map(\.shape)) }

    // MARK: Files

    private static let folder = "\(TestEnvironment.repository)/Tests/Recordings"

    /// What was recorded; empty before the first time.
    static func recorded() throws -> RecordedTopics {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { $0.hasSuffix(".json") } ?? []
        return try RecordedTopics(
            names.sorted().flatMap { name in
                try JSONDecoder().decode([RecordedEvent].self, from: Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            })
    }

    /// Puts these in the place of what was recorded: a file a topic.
    func write() throws {
        try FileManager.default.createDirectory(atPath: RecordedTopics.folder, withIntermediateDirectories: true)
        for (topic, events) in Dictionary(grouping: events, by: \.topic) {
            let list = try events.map { try $0.text }.joined(separator: ",\n")
            try "[\(list)]\n".write(toFile: "\(RecordedTopics.folder)/\(topic).json", atomically: true, encoding: .utf8)
        }
    }

    // MARK: Today's server

    /// What a server publishes today.
    static func published() throws -> RecordedTopics {
        try RecordedTopics(everyEvent("protobuf") + everyEvent("json") + gaps())
    }

    private static func everyEvent(_ encoding: String) throws -> [RecordedEvent] {
        let broker = try TestBroker(isReal: false, collections: EveryEvent.collections)
        let server = try ServerProcess([
            "--kafka.brokers", broker.address, "--events.audit", "all", "--events.encoding", encoding,
            // Large points leave claim checks.
            "--kafka.property.message.max.bytes", "20000",
        ])
        for step in EveryEvent.steps { try step(try EveryEvent(server)) }
        try EveryEvent.waitUntilPublished(server, to: broker)
        var events: [RecordedEvent] = []
        for (name, shards) in EveryEvent.collections.sorted(by: { $0.key < $1.key }) where name != "short" {
            for topic in ["changes", "state"] {
                let records = try broker.records(of: "kith.\(topic).v1.\(name)", partitions: shards)
                events += try records.map { try RecordedEvent($0, topic: topic) }
            }
        }
        for topic in ["tx", "catalog", "audit", "governance", "lineage"] {
            let records = try broker.records(of: "kith.\(topic).v1")
            // Whoever waits for the last request is audited too.
            let last = Data(EveryEvent.lastRequest.utf8)
            let end = records.firstIndex { Data($0.value ?? []).range(of: last) != nil } ?? records.endIndex - 1
            let wanted = topic == "audit" ? records[...end] : records[...]
            events += try wanted.map { try RecordedEvent($0, topic: topic) }
        }
        return try events + snapshot(of: "framed_json", server)
    }

    /// READs are in no topic: `Subscribe` has them.
    private static func snapshot(of collection: JSON, _ server: ServerProcess) throws -> [RecordedEvent] {
        let stream = try server.connection.open(
            .subscribe, ["collection": collection, "start": "START_SNAPSHOT", "vectors": true, "heartbeatMilliseconds": 100])
        defer { stream.cancel() }
        while let answer = try stream.readWithoutDefaults() {
            let events = answer["events"].list
            if !events.isEmpty { return try events.map { try RecordedEvent(subscribed: $0) } }
        }
        return []
    }

    private static func gaps() throws -> [RecordedEvent] {
        try ["ENCODING_PROTOBUF", "ENCODING_JSON"].flatMap { encoding in
            let broker = try TestBroker(isReal: false, collections: ["lossy": 1])
            let server = try ServerProcess(["--kafka.brokers", broker.address] + EveryEvent.trims)
            try EveryEvent.loseCommits(of: "lossy", server, broker, ["encoding": .text(encoding)])
            let records = try broker.records(of: "kith.changes.v1.lossy")
            return try records.filter { $0.header("ce_type") == "io.kith.changes.gap.v1" }.map {
                try RecordedEvent($0, topic: "changes")
            }
        }
    }
}
