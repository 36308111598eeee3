import Foundation
import KithConsumers
import TestSupport
import Testing

/// Change events as they were recorded: protobuf is read flat, JSON by Foundation, and both say the same.
@Suite struct ChangeRecordTests {
    private struct Recorded: Decodable {
        var value: JSON?
        var protobuf: Data?
    }

    /// Messages with what they say.
    private let events: [(bytes: [UInt8], json: [UInt8])]

    init() throws {
        let file = URL(filePath: "\(TestEnvironment.repository)/Tests/Recordings/changes.json")
        let recorded = try JSONDecoder().decode([Recorded].self, from: Data(contentsOf: file))
        events = try recorded.compactMap { event in
            guard let bytes = event.protobuf, let value = event.value, value["op"] != .null else { return nil }
            return ([UInt8](bytes), [UInt8](try JSONEncoder().encode(value)))
        }
    }

    private func read(_ value: [UInt8], _ type: String) throws -> ChangeRecord {
        let record = ConsumedRecord(
            place: TopicPartition("kith.changes.v1.docs", 0), offset: 1, key: nil, value: value,
            headers: [("content-type", Array("application/\(type)".utf8))])
        return try ChangeRecord(record)
    }

    @Test func bothEncodingsSayTheSame() throws {
        #expect(events.count > 20)
        for event in events {
            var flat = try read(event.bytes, "protobuf")
            let json = try read(event.json, "json")
            flat.source = json.source
            #expect("\(flat)" == "\(json)")
        }
    }

    @Test func damagedEventsNeverCrash() {
        Fuzzing.run(rounds: 2_000, seed: 51) { generator in
            guard let event = events.randomElement(using: &generator) else { return }
            _ = try? read(Fuzzing.mutated(event.bytes, &generator), "protobuf")
        }
    }
}
