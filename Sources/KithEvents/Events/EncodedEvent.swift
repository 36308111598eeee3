public import KithCore

/// An event ready to be sent; it borrows from its encoder and is valid during the visit only.
public struct EncodedEvent {
    /// Together with the collection it names the topic in Kafka.
    public var topic: EventTopic
    /// Place among the commit's records, from 0.
    public var index: Int
    /// For changes and state, the point's id as text.
    public var key: ByteView
    /// The topic's message, serialised or as JSON; empty for a tombstone.
    public var value: ByteView
    /// CloudEvents 1.0 in binary mode.
    public var headers: [KafkaHeader]
}

/// Serialised events one after another in one buffer.
public struct EncodedEvents: Sendable {
    /// All of them, with nothing in between.
    public private(set) var bytes: [UInt8] = []
    /// Where each event ends in `bytes`.
    public private(set) var ends: [Int] = []

    public init() {}

    /// Of events.
    public var count: Int { ends.count }

    /// The place of an event in `bytes`.
    public func range(of index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    /// The bytes of one event.
    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(of: index)] }

    mutating func append(_ event: ByteView) {
        bytes.append(contentsOf: event.bytes)
        ends.append(bytes.count)
    }
}
