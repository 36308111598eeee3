public import KithCore

/// What is told of all collections alike.
public struct EventOptions: Sendable, Hashable {
    /// Whether commits are told to the audit topic.
    public var auditsCommits = false
    /// How values of topics that belong to no collection are written.
    public var encoding = EventEncoding.protobuf
    /// Bytes of key, headers and value together that a broker takes; larger events leave a claim check.
    public var maximumBytes = EventOptions.defaultMaximumBytes

    /// librdkafka's, and somewhat less than a broker's.
    public static let defaultMaximumBytes = 1_000_000

    public init() {}
}
