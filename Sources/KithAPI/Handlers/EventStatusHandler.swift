import CGRPCShim
import Foundation
import KithCollections
import KithCore
import KithEvents
import KithTelemetry

/// GetEventStatus.
struct EventStatusHandler {
    let engine: Engine

    func handle(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(GetEventStatusRequest.self, "kith.v1.GetEventStatusRequest", bytes)
        let collections =
            request.collection.isEmpty ? engine.catalogue.all : [try engine.catalogue.collection(request.collection)]
        var response = GetEventStatusResponse()
        response.changeLogBytes = UInt64(clamping: engine.node.metrics.changeLogBytes.current)
        response.changeLogLimitBytes = UInt64(clamping: engine.node.metrics.changeLogLimit.current)
        if let relay = engine.relay {
            let status = relay.status()
            response.enabled = true
            response.brokers = status.brokers
            response.delivery = status.delivery.rawValue
            response.trouble = status.trouble ?? ""
            response.eventsPerSecond = status.eventsPerSecond
            response.publishedEvents = status.publishedEvents
            response.publishedBytes = status.publishedBytes
            response.errors = status.errors
            let shards = Dictionary(status.shards.map { ($0.shard, $0) }) { $1 }
            response.shards = collections.flatMap { collection in
                collection.shards.compactMap { shards[$0.id].map { message($0, of: collection.definition.name) } }
            }
        }
        return try JSONCall.encode(response, "kith.v1.GetEventStatusResponse")
    }

    private func message(_ shard: RelayStatus.Shard, of collection: String) -> GetEventStatusResponse.Shard {
        let age = shard.waiting.age(at: Int64(Date().timeIntervalSince1970 * 1e6)) / .milliseconds(1)
        return GetEventStatusResponse.Shard(
            collection: collection, shard: UInt32(shard.shard.shard), topic: shard.topic, publishedPosition: shard.published,
            lastPosition: shard.last, waitingCommits: shard.lag, waitingEvents: shard.waiting.events,
            waitingBytes: shard.waiting.bytes, estimated: shard.waiting.isEstimate, oldestAgeMilliseconds: UInt64(age),
            failureReason: shard.failure?.reason.rawValue ?? "", failureMessage: shard.failure?.message ?? "",
            stateSnapshot: shard.stateSnapshot.isRunning, stateSnapshotPoints: shard.stateSnapshot.points,
            stateSnapshotState: "STATE_SNAPSHOT_STATE_\(shard.stateSnapshot.word)")
    }
}

extension StateSnapshotProgress {
    fileprivate var isRunning: Bool { if case .running = self { true } else { false } }

    /// As the protos end its name.
    fileprivate var word: String {
        switch self {
        case .off: "UNSPECIFIED"
        case .waiting: "WAITING"
        case .running: "RUNNING"
        case .done: "DONE"
        }
    }
}
