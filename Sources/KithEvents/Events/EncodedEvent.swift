public import KithCore

/// A change event ready to be sent; it borrows from its encoder and is valid during the visit only.
public struct EncodedEvent {
    /// Place among the commit's events, from 0.
    public var index: Int
    /// The point's id as text.
    public var key: ByteView
    /// A `kith.v1.ChangeEvent`, serialised or as JSON.
    public var value: ByteView
    /// CloudEvents 1.0 in binary mode.
    public var headers: [KafkaHeader]
}

/// Serialised events one after another in one buffer.
public struct EncodedEvents: Sendable {
    public private(set) var bytes: [UInt8] = []
    /// Where each event ends in `bytes`.
    public private(set) var ends: [Int] = []

    public init() {}

    public var count: Int { ends.count }

    /// The place of an event in `bytes`.
    public func range(of index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(of: index)] }

    mutating func append(_ event: ByteView) {
        bytes.append(contentsOf: event.bytes)
        ends.append(bytes.count)
    }
}
