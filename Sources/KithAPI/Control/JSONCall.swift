import CGRPCShim
import Foundation
import KithCore

/// Control messages: protobuf on the wire, canonical protobuf JSON in between, `Codable` here.
enum JSONCall {
    static func decode<Message: Decodable>(
        _ type: Message.Type, _ name: String, _ bytes: KithBytes
    ) throws(KithError) -> Message {
        let json = WireBuffer(owning: kith_message_to_json(name, bytes, true))
        defer { withExtendedLifetime(json) {} }
        guard json.bytes.size > 0 else {
            throw KithError(
                .invalidArgument, .malformedMessage, "the request is not a \(name)",
                violations: [.init(field: "", description: "the bytes are not a \(name)")])
        }
        do {
            return try JSONDecoder().decode(type, from: Data(json.bytes.view.bytes))
        } catch let error as KithError {
            throw error
        } catch {
            throw KithError(.invalidArgument, .malformedMessage, "the request is not a \(name): \(error)")
        }
    }

    static func encode(_ message: some Encodable, _ name: String) throws(KithError) -> WireBuffer {
        let json: Data
        do { json = try JSONEncoder().encode(message) } catch {
            throw KithError(.internal, .storageFailure, "an answer cannot be written: \(error)")
        }
        var failure: OpaquePointer?
        let buffer = json.withUnsafeBytes { kith_json_to_message(name, KithBytes(ByteView($0)), &failure) }
        let text = WireBuffer(owning: failure)
        guard let buffer else {
            throw KithError(.internal, .storageFailure, "an answer is no \(name): \(text.text)")
        }
        return try WireBuffer(buffer)
    }
}

/// An enum value as protobuf JSON has it: its name, or a number that has none.
struct EnumText: Codable {
    var name: String
    private var isKnown = true

    init(_ name: String) { self.name = name }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            self.name = name
        } else {
            name = "\(try container.decode(Int32.self))"
            isKnown = false
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    /// The value among `values`; the first stands for "unspecified".
    func value<Value>(_ values: [(name: String, value: Value)], field: String) throws(KithError) -> Value {
        guard let found = values.first(where: { $0.name == name }) else {
            throw .invalid(.unknownEnumValue, field: field, "\(name) is no value of this field", metadata: ["value": name])
        }
        return found.value
    }
}
