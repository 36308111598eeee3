/// How a relay takes its time.
public struct RelayOptions: Sendable {
    /// Wait before the first new try after a failure; each further one waits twice as long.
    public var firstRetry: Duration
    /// The longest wait between two tries.
    public var lastRetry: Duration
    /// Time between two saves of a cursor while events flow.
    public var cursorInterval: Duration
    /// How long `shutdown` waits for what is still with the producer.
    public var flushGrace: Duration
    /// Whether a GAP event stands for commits that were trimmed before Kafka had them; else they stop their shard.
    public var publishesGaps: Bool
    /// Time between two looks at how far the relay is behind.
    public var meterInterval: Duration

    public init(
        firstRetry: Duration = .seconds(1), lastRetry: Duration = .seconds(30), cursorInterval: Duration = .milliseconds(200),
        flushGrace: Duration = .seconds(5), publishesGaps: Bool = false, meterInterval: Duration = .seconds(1)
    ) {
        self.firstRetry = firstRetry
        self.lastRetry = lastRetry
        self.cursorInterval = cursorInterval
        self.flushGrace = flushGrace
        self.publishesGaps = publishesGaps
        self.meterInterval = meterInterval
    }

    /// - Parameter count: failures in a row, from 1.
    func delay(afterFailures count: Int) -> Duration { min(firstRetry * (1 << min(count - 1, 16)), lastRetry) }
}

extension Duration {
    var milliseconds: Int { Int(clamping: components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000) }
}
