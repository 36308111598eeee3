import Foundation
import Glibc
import KithCore
import KithEvents

/// Events a second from a log that waits: the server starts with all of it unpublished.
enum EventBacklog {
    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        let source = try TemporaryFolder()
        let writer = try ServerProcess(run, folder: source.path)
        _ = try load.write(to: writer)
        writer.stop()
        var table = ResultTable("events backlog", "From a waiting log to \(broker.name): \(load.title)")
        // First runs find a broker that compiles itself: they count for nothing.
        for delivery in deliveries { _ = try publish(run, source, broker, delivery, load) }
        for _ in 0..<load.rounds {
            for delivery in deliveries { table.add(try publish(run, source, broker, delivery, load)) }
        }
        run.report.add(table)
    }

    private static func publish(
        _ run: Run, _ source: TemporaryFolder, _ broker: EventBroker, _ delivery: DeliveryGuarantee, _ load: EventLoad
    ) throws(KithError) -> ResultTable.Row {
        let folder = try copy(of: source)
        let server = try ServerProcess(run, folder: folder.path, broker, delivery)
        defer { server.stop() }
        return try row(server, delivery, load)
    }

    private static func row(
        _ server: ServerProcess, _ delivery: DeliveryGuarantee, _ load: EventLoad
    ) throws(KithError) -> ResultTable.Row {
        var progress = try EventProgress(server)
        while progress.events == 0 {
            usleep(1_000)
            progress = try EventProgress(server)
        }
        // A tiny log is published at the first look.
        let isOver = progress.isComplete
        let (began, first) = (isOver ? server.began : ContinuousClock.now, isOver ? 0 : progress.events)
        let used = ProcessUsage.processorSeconds(of: server.identifier)
        while !progress.isComplete {
            usleep(2_000)
            progress = try EventProgress(server)
        }
        let seconds = max((ContinuousClock.now - began).seconds, 1e-6)
        // The few records of the catalogue are counted too.
        guard progress.events >= load.vectors.count else {
            throw .failed("\(progress.events) of \(load.vectors.count) events were published")
        }
        return [
            "delivery": .text(delivery.rawValue),
            "events_per_second": .count(Int(Double(progress.events - first) / seconds)),
            "bytes_per_event": .count(progress.bytes / max(progress.events, 1)),
            "seconds": .decimal(seconds, places: 2),
            "first_event_after_seconds": .decimal((began - server.began).seconds, places: 2),
            "server_cores": .decimal(
                (ProcessUsage.processorSeconds(of: server.identifier) - used) / seconds, places: 2),
        ]
    }

    private static func copy(of source: TemporaryFolder) throws(KithError) -> TemporaryFolder {
        let folder = try TemporaryFolder()
        do { try FileManager.default.copyItem(atPath: "\(source.path)/data", toPath: "\(folder.path)/data") } catch {
            throw .failed("cannot copy \(source.path): \(error.localizedDescription)")
        }
        return folder
    }
}
