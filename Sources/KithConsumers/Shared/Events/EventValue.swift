/// The value of an event's record.
package enum EventValue {
    /// The value without what stands before it for a schema registry's readers (Confluent wire format): a zero byte, the schema's id in four,
    /// and for protobuf the place of the message, as zigzag varints behind their number. Neither protobuf nor JSON begins with a zero byte.
    package static func unframed(_ value: [UInt8], isProtobuf: Bool) throws(Poison) -> [UInt8] {
        guard value.first == 0 else { return value }
        guard value.count >= 5 else { throw Poison("the registry's frame is cut off") }
        var rest = value.dropFirst(5)
        guard isProtobuf else { return Array(rest) }
        let count = try varint(&rest) >> 1
        guard count <= rest.count else { throw Poison("the registry's frame is cut off") }
        for _ in 0..<count { _ = try varint(&rest) }
        return Array(rest)
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) throws(Poison) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw Poison("the registry's frame is cut off") }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw Poison("the registry's frame is malformed")
    }
}
