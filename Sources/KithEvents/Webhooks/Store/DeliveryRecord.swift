/// One attempt to deliver, as the delivery log has it.
public struct DeliveryRecord: Sendable, Codable {
    /// What came of it.
    public enum Outcome: String, Sendable, Codable {
        /// The endpoint answered with 2xx.
        case delivered
        /// To be tried again.
        case failed
        /// The last attempt failed: the event is a dead letter.
        case deadLettered
        /// `TestWebhook`.
        case test
    }

    /// `webhook-id` of the request.
    public var messageID: String
    /// Microseconds since 1970.
    public var time: Int64
    /// Until the answer was read, or given up on.
    public var durationMicroseconds: Int64
    /// By its name at the time.
    public var collection: String
    /// `collection.shard`.
    public var shard: String
    /// Of the first event.
    public var eventID: String
    /// In the request; above 1 in mode `batch` only.
    public var events: Int
    /// Of these events, from 1.
    public var attempt: Int
    /// Whether more attempts follow.
    public var outcome: Outcome
    /// 0 where no answer came.
    public var status: Int
    /// What went wrong; empty where nothing did.
    public var error: String
}
