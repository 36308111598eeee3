import KithCore

struct GetEventStatusRequest: Codable {
    var collection: String
}

struct GetEventStatusResponse: Codable {
    struct Shard: Codable {
        var collection: String
        var shard: UInt32
        var topic: String
        var publishedPosition: UInt64
        var lastPosition: UInt64
        var waitingCommits: UInt64
        var waitingEvents: UInt64
        var waitingBytes: UInt64
        var estimated: Bool
        var oldestAgeMilliseconds: UInt64
        var failureReason: String
        var failureMessage: String
        var stateSnapshot: Bool
        var stateSnapshotPoints: UInt64
        var stateSnapshotState: String
    }
    var enabled = false
    var brokers = ""
    var delivery = ""
    var trouble = ""
    var eventsPerSecond = 0.0
    var publishedEvents: UInt64 = 0
    var publishedBytes: UInt64 = 0
    var errors: UInt64 = 0
    var changeLogBytes: UInt64 = 0
    var changeLogLimitBytes: UInt64 = 0
    var shards: [Shard] = []
}
