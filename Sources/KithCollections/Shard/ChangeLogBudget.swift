import KithCore
public import KithTelemetry
import Synchronization

/// What to do when the change log has grown to its limit. Nothing is ever dropped silently.
public enum FullLogPolicy: String, Sendable {
    /// Writes are refused until readers have caught up.
    case pushBack = "push-back"
    /// The oldest commits are forgotten, readers or no readers; who was behind is told so.
    case trim
}

/// The bytes of change log that one node keeps, over all shards.
public final class ChangeLogBudget: Sendable {
    public let limit: Int
    public let policy: FullLogPolicy
    private let used = Atomic<Int>(0)
    private let metrics: Metrics

    public init(limit: Int, policy: FullLogPolicy, metrics: Metrics) {
        self.limit = limit
        self.policy = policy
        self.metrics = metrics
        metrics.changeLogLimit.set(limit)
    }

    /// Bytes kept now.
    public var bytes: Int { used.load(ordering: .relaxed) }

    /// Above half the limit, commits that every reader has seen go.
    var wantsTrimming: Bool { bytes > limit / 2 }

    func add(_ bytes: Int) {
        let (_, sum) = used.wrappingAdd(bytes, ordering: .relaxed)
        metrics.changeLogBytes.set(sum)
    }

    /// Whether readers must catch up before anything more is taken.
    public var isFull: Bool { policy == .pushBack && bytes >= limit }

    /// Why a write cannot be taken now; nil when it can.
    var refusal: KithError? {
        guard isFull else { return nil }
        metrics.changeLogRefusals.add()
        return KithError(
            .resourceExhausted, .changeLogFull,
            "the change log holds \(bytes) bytes, the limit is \(limit): readers must catch up (is Kafka reachable?), "
                + "or change-log-bytes or change-log-full be changed",
            metadata: ["bytes": "\(bytes)", "limit": "\(limit)"], retryAfterMilliseconds: 1_000)
    }
}
