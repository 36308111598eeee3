import Foundation
import KithAPI
import KithCore
import KithEvents

/// Time from the acknowledgement of a write until a consumer has its event, one write at a time.
enum EventLatency {
    private struct Answer: Decodable {
        struct Position: Decodable { var position: String }
        var positions: [Position]
    }

    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        var table = ResultTable("events latency", "From acknowledgement to a read_committed consumer of \(broker.name)")
        for _ in 0..<load.rounds {
            for delivery in deliveries {
                let folder = try TemporaryFolder()
                let server = try ServerProcess(run, folder: folder.path, broker, delivery)
                _ = try ServedCollection(creating: load.vectors.space, tail: load.vectors.count, on: server.client)
                let times = try times(run.pick(tiny: 5, moderate: 100, full: 300), server, broker, load.vectors)
                table.add([
                    "delivery": .text(delivery.rawValue), "events": .count(times.count),
                    "p50_ms": .decimal(percentile(times, 0.5), places: 2), "p90_ms": .decimal(percentile(times, 0.9), places: 2),
                    "p99_ms": .decimal(percentile(times, 0.99), places: 2), "max_ms": .decimal(times.last ?? 0, places: 2),
                ])
                server.stop()
            }
        }
        run.report.add(table)
    }

    /// Milliseconds, sorted.
    private static func times(
        _ count: Int, _ server: ServerProcess, _ broker: EventBroker, _ vectors: VectorSet
    ) throws(KithError) -> [Double] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.address))
        let topic = "\(server.topicPrefix).changes.v1.\(ServedCollection.name)"
        var isAssigned = false
        var times: [Double] = []
        // The first makes the topic, and is not counted.
        for number in 0...count {
            let answer: Answer = try server.client.call("/kith.v1.PointService/Upsert", Request(number % vectors.count, vectors))
            let acknowledged = ContinuousClock.now
            guard let position = answer.positions.first?.position else { throw .failed("an upsert has no position") }
            while !isAssigned, try EventProgress(server).events == 0 { continue }
            if !isAssigned { try consumer.assign(topic: topic, partitions: 0..<1) }
            isAssigned = true
            try wait(for: "/\(position)/0", consumer)
            if number > 0 { times.append((ContinuousClock.now - acknowledged).seconds * 1_000) }
        }
        return times.sorted()
    }

    /// Reads until the event whose id ends so.
    private static func wait(for end: String, _ consumer: KafkaConsumer) throws(KithError) {
        let deadline = ContinuousClock.now + .seconds(60)
        while deadline > .now {
            let records = try consumer.poll(milliseconds: 1_000)
            if records.contains(where: { $0.header("ce_id")?.hasSuffix(end) == true }) { return }
        }
        throw .failed("the event \(end) did not come within a minute")
    }

    private static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)]
    }

    private struct Request: Encodable {
        struct Point: Encodable {
            struct ID: Encodable { var number: String }
            struct Vector: Encodable { var data: Data }
            var id: ID
            var vectors: [Vector]
        }
        var collection = ServedCollection.name
        var points: [Point]

        init(_ row: Int, _ vectors: VectorSet) {
            points = [Point(id: .init(number: "\(row)"), vectors: [.init(data: Data(vectors.bytes(row)))])]
        }
    }
}
