/// How webhooks take their time, and what they may reach.
public struct WebhookOptions: Sendable {
    /// Where requests may go.
    public var policy = EndpointPolicy()
    /// A file of PEM certificates trusted in place of the system's; the system's where empty.
    public var certificates = ""
    /// What requests go through; none where empty.
    public var proxy = ""
    /// Wait after the first failure; each further one is twice as long.
    public var firstRetry = Duration.seconds(1)
    /// The longest wait between two tries.
    public var lastRetry = Duration.seconds(600)
    /// Time between two saves of a cursor while events flow.
    public var cursorInterval = Duration.milliseconds(200)
    /// Of the jitter; the same gives the same waits. Random where nil.
    public var seed: UInt64?
    /// Whether the change log is nearly full, at `Limits.webhookLogPercent`.
    public var isLogNearlyFull: @Sendable () -> Bool = { false }

    public init() {}
}
