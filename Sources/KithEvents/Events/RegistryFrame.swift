internal import CGRPCShim
import KithCore

/// What a schema registry's readers expect before a value (Confluent wire format): a zero byte, the schema's id, and for protobuf the place of
/// the message in its file, as zigzag varints behind their number; the first message is a single zero.
enum RegistryFrame {
    /// Empty where `schemaID` is 0.
    static func bytes(schemaID: UInt32, message: String, encoding: EventEncoding) -> [UInt8] {
        guard schemaID != 0 else { return [] }
        var frame: [UInt8] = [0]
        frame.appendBigEndian(schemaID)
        guard encoding == .protobuf else { return frame }
        let place = UInt64(clamping: kith_message_index(message))
        if place == 0 { return frame + [0] }
        frame.appendVarint(2)
        frame.appendVarint(2 * place)
        return frame
    }
}
