import Foundation
import Glibc
import KithAPI
import KithCore
import KithEvents

/// How fast change events reach Kafka, how soon, and what they cost.
enum EventsBenchmark {
    static let description = Benchmark(
        name: "events", summary: "Change events to a Kafka broker: from a waiting log, one by one, and beside upserts",
        options: [
            ("count N", "points, of which each is an event (400,000); for --part latency alone: written one by one (300)"),
            ("dimension N", "(384)"),
            ("batch N", "points a commit (100)"),
            ("delivery NAME", "only that: at-least-once or exactly-once"),
            ("part NAME", "only that: backlog, latency, cost or consumers"),
            ("rounds N", "of each (3)"),
        ] + EventBroker.options + [ServerProcess.option], run: run)

    private static func run(_ run: Run) throws(KithError) {
        guard let broker = try EventBroker.find(run) else { return Console.note(EventBroker.absence) }
        let wanted = run.options.value("delivery")
        let deliveries = DeliveryGuarantee.allCases.filter { wanted == nil || wanted == $0.rawValue }
        guard !deliveries.isEmpty else { throw .usage("--delivery is '\(wanted ?? "")', not at-least-once or exactly-once") }
        let part = run.options.value("part")
        guard part == nil || parts.contains(where: { $0.name == part }) else {
            throw .usage("--part is '\(part ?? "")', not backlog, latency, cost or consumers")
        }
        let load = try EventLoad(run)
        for (name, measure) in parts where part == nil || part == name { try measure(run, load, broker, deliveries) }
    }

    private typealias Part = @Sendable (Run, EventLoad, EventBroker, [DeliveryGuarantee]) throws(KithError) -> Void

    private static let parts: [(name: String, measure: Part)] = [
        ("backlog", EventBacklog.measure), ("latency", EventLatency.measure), ("cost", EventCost.measure),
        ("consumers", EventConsumers.measure),
    ]
}

/// What is written: points of one collection, in commits of so many.
struct EventLoad {
    let vectors: VectorSet
    let batch: Int
    let rounds: Int

    init(_ run: Run) throws(KithError) {
        // No index: what links vectors would take the relay's processor.
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 32, moderate: 384, full: 384), metric: .l2,
            index: IndexDefinition(kind: "flat"))
        var stream = ClusteredVectors(space)
        vectors = try stream.take(try run.number("count", tiny: 2_000, moderate: 200_000, full: 400_000))
        batch = try run.number("batch", tiny: 100, moderate: 100, full: 100)
        rounds = try run.number("rounds", tiny: 1, moderate: 1, full: 3)
    }

    /// Writes all points and answers the load's figures.
    ///
    /// - Parameter prepare: called before the first of them, when the collection is there.
    func write(to server: ServerProcess, prepare: () throws(KithError) -> Void = {}) throws(KithError) -> Load {
        _ = try ServedCollection(creating: vectors.space, tail: vectors.count, on: server.client)
        try prepare()
        return try Load(
            RequestList.upserts(vectors, batch: batch, durability: .durable), to: server.address, inFlight: 16, seconds: 0)
    }

    /// Events of the part that writes one at a time: where other parts run too, their count would take it hours.
    func singleEvents(_ run: Run) throws(KithError) -> Int {
        let few = run.pick(tiny: 5, moderate: 100, full: 300)
        return run.options.value("part") == "latency" ? try run.options.number("count") ?? few : few
    }

    var title: String { "\(vectors.count) x \(vectors.space.dimension) f32, commits of \(batch), vectors as digests" }
}

/// The answer of `GetEventStatus`, as far as it is needed.
struct EventProgress: Decodable {
    struct Shard: Decodable {
        var publishedPosition, lastPosition: String
        var failureMessage: String
    }
    var publishedEvents, publishedBytes: String
    var shards: [Shard]

    init(_ server: ServerProcess) throws(KithError) {
        self = try server.client.call("/kith.v1.EventService/GetEventStatus", ["collection": ServedCollection.name])
        if let failure = shards.first(where: { !$0.failureMessage.isEmpty }) { throw .failed(failure.failureMessage) }
    }

    var events: Int { Int(publishedEvents) ?? 0 }
    var bytes: Int { Int(publishedBytes) ?? 0 }
    var isComplete: Bool { !shards.isEmpty && shards.allSatisfy { $0.publishedPosition == $0.lastPosition } }
}

extension ServerProcess {
    private struct UpsertRequest: Encodable {
        struct Point: Encodable {
            struct ID: Encodable { var number: String }
            struct Vector: Encodable { var data: Data }
            var id: ID
            var vectors: [Vector]
        }
        var collection = ServedCollection.name
        var points: [Point]
    }

    private struct UpsertAnswer: Decodable {
        struct Position: Decodable { var position: String }
        var positions: [Position]
    }

    /// Writes one row, and answers the position of the commit.
    func upsert(_ row: Int, of vectors: VectorSet) throws(KithError) -> String {
        let point = UpsertRequest.Point(id: .init(number: "\(row)"), vectors: [.init(data: Data(vectors.bytes(row)))])
        let answer: UpsertAnswer = try client.call("/kith.v1.PointService/Upsert", UpsertRequest(points: [point]))
        guard let position = answer.positions.first?.position else { throw .failed("an upsert has no position") }
        return position
    }

    /// A server that publishes to the broker, under topics of its own.
    convenience init(
        _ run: Run, folder: String, _ broker: EventBroker, _ delivery: DeliveryGuarantee
    ) throws(KithError) {
        // Topics of earlier runs may still be there.
        let prefix = "bench-\(UUID().uuidString.prefix(8))"
        try broker.makeTopics(prefix: prefix)
        try self.init(
            run, folder: folder,
            settings: [
                "kafka.brokers=\(broker.address)", "kafka.topic-prefix=\(prefix)", "kafka.delivery=\(delivery.rawValue)",
            ], topicPrefix: prefix)
    }
}
