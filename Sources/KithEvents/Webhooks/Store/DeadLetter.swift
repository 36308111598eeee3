import Foundation
public import KithCore

/// An event that its endpoint refused until the last attempt.
public struct DeadLetter: Sendable, Codable {
    var event: PendingEvent
    /// What the last attempt met.
    public var error: String
    /// Made before it was given up.
    public var attempts: Int
    /// Microseconds since 1970 when it was given up.
    public var time: Int64

    /// The event's id, which names it in a redelivery too.
    public var id: String { event.id }
    /// By the name that it had then.
    public var collection: String { event.collection }
    /// The commit whose event it is.
    public var position: LogPosition { event.position }
    /// What it counts for in `Limits.webhookDeadLetterBytes`.
    public var bytes: Int { event.byteCount }
    /// As it was sent; empty where it had none.
    public var contentType: String { event.headers.first { $0.name == "content-type" }?.value ?? "" }
    /// The body that the endpoint refused.
    public var value: [UInt8] { Array(event.value) }
}
