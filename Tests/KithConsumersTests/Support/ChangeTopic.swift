import Foundation
import KithCore
import KithEvents
import Synchronization
import TestSupport

/// What a sink should hold of a point.
struct PointModel: Equatable {
    var version: Int
    var payload: String
}

/// A changes topic on librdkafka's test broker, filled with events of a collection that exists only here: what a sink must hold in the end is
/// known.
final class ChangeTopic {
    final class Delivered: DeliveryReceiver, @unchecked Sendable {
        static let failures = Atomic<Int>(0)
        override func delivered(_ error: KafkaError?) {
            if error != nil { Delivered.failures.wrappingAdd(1, ordering: .relaxed) }
        }
    }

    let collection: String
    let broker: MockBroker
    let partitions: Int
    /// The points as they stand.
    private(set) var points: [String: PointModel] = [:]
    /// Ids of all events, in the order of their shard.
    private(set) var eventIDs: [[String]]
    private var positions: [Int]
    private let producer: KafkaProducer
    private let topic: KafkaTopic

    var name: String { "kith.changes.v1.\(collection)" }
    var brokers: String { broker.bootstrapServers }

    init(_ collection: String = "docs", partitions: Int = 2, broker: MockBroker? = nil) throws {
        self.collection = collection
        self.partitions = partitions
        self.broker = try broker ?? MockBroker()
        positions = Array(repeating: 0, count: partitions)
        eventIDs = Array(repeating: [], count: partitions)
        try self.broker.createTopic("kith.changes.v1.\(collection)", partitions: partitions)
        producer = try KafkaProducer(configuration: KafkaConfiguration(brokers: self.broker.bootstrapServers)) { _ in }
        topic = try producer.topic("kith.changes.v1.\(collection)")
    }

    /// Random creates, updates and deletes of a hundred points; each goes to the partition of its id.
    func write(_ count: Int, _ generator: inout SeededGenerator) {
        for _ in 0..<count {
            let id = Int.random(in: 0..<100, using: &generator)
            let payload = Bool.random(using: &generator) && Bool.random(using: &generator) ? nil : ChangeTopic.payload(&generator)
            change(id, payload)
        }
        producer.flush(milliseconds: 60_000)
    }

    /// One change: a new payload, or nil for a delete.
    func change(_ number: Int, _ payload: String?, vectors: String = "") {
        let id = "\(number)"
        let shard = number % partitions
        let before = points[id]
        guard payload != nil || before != nil else { return }
        positions[shard] += 1
        let event = "kith/1.\(shard)/\(positions[shard])/0"
        let version = (before?.version ?? 0) + 1
        var members = [
            "\"id\":\"\(event)\"",
            "\"op\":\"CHANGE_OPERATION_\(payload == nil ? "DELETE" : before == nil ? "CREATE" : "UPDATE")\"",
            """
            "source":{"cluster":"kith","collection":"\(collection)","collectionId":1,"shard":\(shard),\
            "position":"\(positions[shard])","count":1,"tsUs":"17000000000\(String(format: "%05d", positions[shard]))"}
            """,
        ]
        func image(_ model: PointModel) -> String {
            "{\"id\":{\"number\":\"\(id)\"},\"payloadJson\":\(quoted(model.payload)),\"version\":\"\(model.version)\"\(vectors)}"
        }
        if let before { members.append("\"before\":\(image(before))") }
        if let payload {
            let after = PointModel(version: version, payload: payload)
            members.append("\"after\":\(image(after))")
            points[id] = after
        } else {
            points[id] = nil
        }
        eventIDs[shard].append(event)
        send(shard, key: id, value: "{\(members.joined(separator: ","))}")
    }

    /// Any record.
    func send(_ partition: Int, key: String, value: String, type: StaticString = "application/json") {
        let key = OwnedBytes(Array(key.utf8))
        let value = OwnedBytes(Array(value.utf8))
        let type = OwnedBytes(type.withUTF8Buffer { Array($0) })
        let outcome = producer.produce(
            to: topic, partition: partition, key: key.view, value: value.view, headers: [KafkaHeader("content-type", type.view)],
            receiver: Delivered())
        guard case .queued = outcome else { fatalError("not queued: \(outcome)") }
    }

    func flush() { producer.flush(milliseconds: 60_000) }

    private static func payload(_ generator: inout SeededGenerator) -> String {
        let words = ["plain", "with \"quotes\"", "comma, comma", "line\\nbreak", "tab\\t", "é\\u00e9", "back\\\\slash", ""]
        let word = words.randomElement(using: &generator) ?? ""
        let escaped = word.replacing("\"quotes\"", with: "\\\"quotes\\\"")
        return
            "{\"n\":\(Int.random(in: -5...5, using: &generator)),\"word\":\"\(escaped)\",\"flag\":\(Bool.random(using: &generator))}"
    }
}

/// A JSON string.
func quoted(_ text: String) -> String {
    let data = (try? JSONEncoder().encode(text)) ?? Data()
    return String(decoding: data, as: UTF8.self)
}
