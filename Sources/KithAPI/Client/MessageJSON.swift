import CGRPCShim
public import Foundation
public import KithCore

/// Messages of the protos as JSON, and JSON as values.
public enum MessageJSON {
    /// A serialised `kith.v1.ChangeEvent`, as Kafka carries it, to one line of JSON. Fields with default values are left out.
    public static func changeEvent(_ bytes: [UInt8]) throws(KithError) -> Data {
        try bytes.withBytes { (bytes) throws(KithError) in
            try decode(KithBytes(ByteView(bytes)), as: "kith.v1.ChangeEvent", defaults: false)
        }
    }

    /// A serialised message of `type`, such as `kith.v1.AuditEvent`, to one line of JSON. Fields with default values are left out.
    public static func json(_ bytes: [UInt8], of type: String) throws(KithError) -> Data {
        try bytes.withBytes { (bytes) throws(KithError) in
            try decode(KithBytes(ByteView(bytes)), as: type, defaults: false)
        }
    }

    static func encode(_ json: Data, as type: String) throws(KithError) -> WireBuffer {
        var reason: OpaquePointer?
        let message = try [UInt8](json).withBytes { (bytes) throws(KithError) in
            kith_json_to_message(type, KithBytes(ByteView(bytes)), &reason)
        }
        let text = WireBuffer(owning: reason)
        guard let message else {
            throw KithError(.invalidArgument, .malformedMessage, "not a \(type): \(text.text)", metadata: ["type": type])
        }
        return try WireBuffer(message)
    }

    static func decode(_ bytes: KithBytes, as type: String, defaults: Bool = true) throws(KithError) -> Data {
        guard let json = kith_message_to_json(type, bytes, defaults) else {
            throw KithError(.internal, .malformedMessage, "the server's answer is not a \(type)", metadata: ["type": type])
        }
        return WireBuffer(owning: json).data
    }

    /// The JSON of a message.
    public static func request(_ value: some Encodable) throws(KithError) -> Data { try data(value) }

    static func data(_ value: some Encodable) throws(KithError) -> Data {
        do { return try JSONEncoder().encode(value) } catch {
            throw KithError(.invalidArgument, .malformedMessage, "cannot be written as JSON: \(error)")
        }
    }

    /// A value from the JSON of a message.
    public static func value<Value: Decodable>(_ json: Data) throws(KithError) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: json) } catch {
            throw KithError(.internal, .malformedMessage, "an unexpected answer: \(error)")
        }
    }
}

/// A method by its path: which messages go in and come out.
struct RemoteMethod {
    let requestType: String
    let responseType: String

    init(path: String) throws(KithError) {
        for number in 0..<kith_method_count() where String(cString: kith_method_name(number)) == path {
            requestType = String(cString: kith_method_request_type(number))
            responseType = String(cString: kith_method_response_type(number))
            return
        }
        throw KithError(.unimplemented, .unimplemented, "there is no method \(path)", metadata: ["method": path])
    }
}
