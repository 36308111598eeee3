/// A webhook and how it fares.
public struct WebhookStatus: Sendable {
    /// As it is stored, secrets included.
    public var webhook: Webhook
    /// Commits that it has still to deliver, over all shards.
    public var lag: UInt64 = 0
    /// Commits that the log lost before it had them, since the server started.
    public var missedCommits: UInt64 = 0
    /// Failures of the endpoint in a row.
    public var failures = 0
    /// The last of them; empty where the last attempt was answered well.
    public var lastError = ""
    /// Kept until they are delivered again or the webhook is deleted.
    public var deadLetters = 0
    /// Dead letters on their way again.
    public var queuedLetters = 0
}
