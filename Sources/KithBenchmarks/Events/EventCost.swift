import Glibc
import KithCore
import KithEvents

/// What the relay takes from upserts: the same load without Kafka, and with it; and what its events cost until the last is in Kafka.
enum EventCost {
    /// A load, and what was used for it.
    private struct Figures {
        var pointsPerSecond = 0.0
        /// Events that Kafka had when the load was over.
        var publishedEvents = 0
        /// From then until Kafka had all.
        var secondsToCatchUp = 0.0
        /// Until Kafka had all.
        var serverSeconds = 0.0
        var brokerSeconds = 0.0
    }

    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        var table = ResultTable("events cost", "Upserts beside the relay to \(broker.name): \(load.title)")
        // First loads find memory cold, and a broker that compiles itself: they count for nothing.
        _ = try withoutKafka(run, load)
        for delivery in deliveries { _ = try withKafka(run, load, broker, delivery) }
        var costs: [DeliveryGuarantee: [Double]] = [:]
        for round in 0..<load.rounds {
            for delivery in deliveries {
                // A machine that becomes slower or faster by the minute does so for both in turn.
                let isFirst = round.isMultiple(of: 2)
                var without = isFirst ? try withoutKafka(run, load) : Figures()
                let with = try withKafka(run, load, broker, delivery)
                if !isFirst { without = try withoutKafka(run, load) }
                let cost = (1 - with.pointsPerSecond / without.pointsPerSecond) * 100
                costs[delivery, default: []].append(cost)
                table.add(row(delivery, with, without, cost, load))
            }
        }
        run.report.add(table)
        var summary = ResultTable("events cost summary", "The same, over all rounds")
        for delivery in deliveries { summary.add(summaryRow(delivery, sortedCosts: costs[delivery, default: []].sorted())) }
        run.report.add(summary)
    }

    private static func row(
        _ delivery: DeliveryGuarantee, _ with: Figures, _ without: Figures, _ cost: Double, _ load: EventLoad
    ) -> ResultTable.Row {
        let points = Double(load.vectors.count)
        return [
            "delivery": .text(delivery.rawValue), "points_per_second": .count(Int(with.pointsPerSecond)),
            "without_kafka": .count(Int(without.pointsPerSecond)), "cost_percent": .decimal(cost, places: 1),
            "published_meanwhile_percent": .decimal(Double(with.publishedEvents) / points * 100, places: 0),
            "caught_up_after_seconds": .decimal(with.secondsToCatchUp, places: 2),
            "relay_us_per_event": .decimal((with.serverSeconds - without.serverSeconds) / points * 1e6, places: 2),
            "broker_us_per_event": .decimal(with.brokerSeconds / points * 1e6, places: 2),
        ]
    }

    private static func summaryRow(_ delivery: DeliveryGuarantee, sortedCosts costs: [Double]) -> ResultTable.Row {
        let middle = costs.count / 2
        let median = costs.isEmpty ? 0 : costs.count.isMultiple(of: 2) ? (costs[middle - 1] + costs[middle]) / 2 : costs[middle]
        return [
            "delivery": .text(delivery.rawValue), "rounds": .count(costs.count),
            "median_cost_percent": .decimal(median, places: 1), "least": .decimal(costs.first ?? 0, places: 1),
            "most": .decimal(costs.last ?? 0, places: 1),
        ]
    }

    private static func withoutKafka(_ run: Run, _ load: EventLoad) throws(KithError) -> Figures {
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        defer { server.stop(SIGKILL) }
        var figures = try figures(of: load, on: server) { () throws(KithError) in _ = try server.upsert(0, of: load.vectors) }
        figures.serverSeconds = ProcessUsage.processorSeconds(of: server.identifier)
        return figures
    }

    private static func withKafka(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ delivery: DeliveryGuarantee
    ) throws(KithError) -> Figures {
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path, broker, delivery)
        defer { server.stop(SIGKILL) }
        let brokerBefore = broker.processorSeconds
        // Topics are made and the producer has begun before the load: they come once, however long it is.
        var figures = try figures(of: load, on: server) { () throws(KithError) in
            _ = try server.upsert(0, of: load.vectors)
            while try !EventProgress(server).isComplete { usleep(2_000) }
        }
        let ended = ContinuousClock.now
        var progress = try EventProgress(server)
        figures.publishedEvents = progress.events
        while !progress.isComplete {
            usleep(2_000)
            progress = try EventProgress(server)
        }
        figures.secondsToCatchUp = (ContinuousClock.now - ended).seconds
        figures.serverSeconds = ProcessUsage.processorSeconds(of: server.identifier)
        figures.brokerSeconds = broker.processorSeconds - brokerBefore
        return figures
    }

    private static func figures(
        of load: EventLoad, on server: ServerProcess, prepare: () throws(KithError) -> Void
    ) throws(KithError) -> Figures {
        Figures(pointsPerSecond: Double(load.vectors.count) / (try load.write(to: server, prepare: prepare).seconds))
    }
}
