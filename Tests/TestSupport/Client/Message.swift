import CGRPCShim
public import Foundation

/// Messages of the protos, from JSON and back.
public enum Message {
    /// JSON that does not fit a message: a mistake in a test.
    public struct Misfit: Error, CustomStringConvertible {
        public let description: String
    }

    /// Serialises a message of `type`, such as `kith.v1.Collection`.
    public static func encode(_ json: JSON, as type: String) throws -> [UInt8] {
        var reason: OpaquePointer?
        let bytes = withBytes([UInt8](try JSONEncoder().encode(json))) { take(kith_json_to_message(type, $0, &reason)) }
        let text = takeText(reason)
        guard let bytes else { throw Misfit(description: "not a \(type): \(text)") }
        return bytes
    }

    /// The message as JSON, fields of default value included.
    public static func json(_ bytes: [UInt8], as type: String) throws -> Data {
        guard let json = withBytes(bytes, { take(kith_message_to_json(type, $0, true)) }) else {
            throw Misfit(description: "\(bytes.count) bytes are no \(type)")
        }
        return Data(json)
    }

    /// The same without fields of default value: what the sender said, and nothing else.
    public static func decodeWithoutDefaults<Value: Decodable>(_ bytes: [UInt8], as type: String) throws -> Value {
        guard let json = withBytes(bytes, { take(kith_message_to_json(type, $0, false)) }) else {
            throw Misfit(description: "\(bytes.count) bytes are no \(type)")
        }
        return try JSONDecoder().decode(Value.self, from: Data(json))
    }

    public static func decode<Value: Decodable>(_ bytes: [UInt8], as type: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: try json(bytes, as: type))
    }
}
