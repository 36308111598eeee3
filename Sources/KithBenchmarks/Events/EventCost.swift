import Glibc
import KithCore
import KithEvents

/// What the relay takes from upserts: the same load without Kafka, and with it.
enum EventCost {
    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        var table = ResultTable("events cost", "Upserts beside the relay to \(broker.name): \(load.title)")
        for _ in 0..<load.rounds {
            let without = try perSecond(load) { () throws(KithError) in
                let folder = try TemporaryFolder()
                return (folder, try ServerProcess(run, folder: folder.path))
            }
            for delivery in deliveries {
                let with = try perSecond(load) { () throws(KithError) in
                    let folder = try TemporaryFolder()
                    return (folder, try ServerProcess(run, folder: folder.path, broker, delivery))
                }
                table.add([
                    "delivery": .text(delivery.rawValue), "points_per_second": .count(Int(with)),
                    "without_kafka": .count(Int(without)),
                    "cost_percent": .decimal((1 - with / without) * 100, places: 1),
                ])
            }
        }
        run.report.add(table)
    }

    private static func perSecond(
        _ load: EventLoad, _ start: () throws(KithError) -> (TemporaryFolder, ServerProcess)
    ) throws(KithError) -> Double {
        let (folder, server) = try start()
        defer { withExtendedLifetime(folder) {} }
        let result = try load.write(to: server)
        server.stop(SIGKILL)
        return Double(load.vectors.count) / result.seconds
    }
}
