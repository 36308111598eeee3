import CGRPCShim
import KithCore
import KithEvents

/// Encoded change events on their way to one subscriber, cut into messages: a commit may be larger than a message can be.
struct EventQueue {
    /// Bytes of events in one message, about.
    static let messageBytes = 1 << 20

    private struct Part {
        let bytes: OwnedBytes
        let events: EncodedEvents
    }

    private var parts: [Part] = []
    /// The next event of the first part.
    private var next = 0
    /// Bytes that were added since it was empty.
    private(set) var byteCount = 0

    var isEmpty: Bool { parts.isEmpty }

    mutating func append(_ events: EncodedEvents) {
        guard events.count > 0 else { return }
        parts.append(Part(bytes: OwnedBytes(events.bytes), events: events))
        byteCount += events.bytes.count
    }

    /// The next `SubscribeResponse`: at least one event, about `messageBytes` of them.
    mutating func nextMessage() throws(KithError) -> WireBuffer {
        var views: [KithBytes] = []
        var size = 0
        var finished = 0
        while finished < parts.count, size < EventQueue.messageBytes {
            let part = parts[finished]
            let bytes = part.bytes.view.bytes[part.events.range(of: next)]
            views.append(KithBytes(ByteView(UnsafeRawBufferPointer(rebasing: bytes))))
            size += bytes.count
            next += 1
            if next == part.events.count {
                finished += 1
                next = 0
            }
        }
        // The views point into parts, which stay until the message is made.
        defer {
            parts.removeFirst(finished)
            if parts.isEmpty { byteCount = 0 }
        }
        return try WireBuffer(kith_encode_subscribe_response(views, views.count, nil, 0))
    }
}
