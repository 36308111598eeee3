import Foundation
import KithAPI
import KithCore
import KithEvents

/// Time from the acknowledgement of a write until a consumer has its event, one write at a time.
enum EventLatency {
    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        var table = ResultTable("events latency", "From acknowledgement to a read_committed consumer of \(broker.name)")
        let count = try load.singleEvents(run)
        for _ in 0..<load.rounds {
            for delivery in deliveries {
                let folder = try TemporaryFolder()
                let server = try ServerProcess(run, folder: folder.path, broker, delivery)
                _ = try ServedCollection(creating: load.vectors.space, tail: load.vectors.count, on: server.client)
                let times = try times(count, server, broker, load.vectors)
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
            let position = try server.upsert(number % vectors.count, of: vectors)
            let acknowledged = ContinuousClock.now
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
}
