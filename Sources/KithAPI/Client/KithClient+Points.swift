import CGRPCShim
import Foundation
public import KithCore

/// Points by id.
extension KithClient {
    /// Writes an ordered mix of operations as one request.
    ///
    /// - Parameter requestID: where not empty, a repeated call is not done again.
    public func write(
        _ collection: String, _ operations: [ClientOperation], durability: Durability? = nil, requestID: String = ""
    ) throws(KithError) -> WriteAnswer {
        let request = try ViewArena.message { arena in
            var view = KithWriteView()
            view.collection = arena.bytes(collection)
            view.request_id = arena.bytes(requestID)
            view.durability = Int32(durability?.rawValue ?? 0)
            view.operations = arena.array(operations.map(arena.operation))
            view.operation_count = operations.count
            return kith_encode_write_request(KITH_WRITE_BATCH, &view)
        }
        let response = try call("/kith.v1.PointService/BatchWrite", request)
        var answer = KithWriteResponseView()
        let message = try WireMessage(answer: response) { kith_decode_write_response($0, &answer) }
        defer { withExtendedLifetime(message) {} }
        return WriteAnswer(
            outcomes: UnsafeBufferPointer(start: answer.outcomes, count: answer.outcome_count).map {
                ClientOutcome(
                    result: ClientOutcome.Result(rawValue: $0.result) ?? .failed, version: $0.version, error: $0.error.text)
            },
            positions: UnsafeBufferPointer(start: answer.positions, count: answer.position_count).map(ShardPosition.init),
            replayed: answer.replayed)
    }

    /// Points by id, in the order asked, without those that do not exist.
    public func get(
        _ collection: String, _ ids: [PointID], payload: Bool = true, vectors: Bool = false
    ) throws(KithError) -> [ClientPoint] {
        struct Request: Encodable {
            var collection: String
            var ids: [WireID]
            var select: WireSelector
        }
        let request = Request(
            collection: collection, ids: ids.map(WireID.init), select: WireSelector(payload: payload, vectors: vectors))
        let message = try MessageJSON.encode(try MessageJSON.data(request), as: "kith.v1.GetRequest")
        let response = try call("/kith.v1.PointService/Get", message)
        return try points(response, kith_decode_get_response)
    }

    /// How many points there are.
    public func count(_ collection: String) throws(KithError) -> UInt64 {
        struct Answer: Decodable { var count: String }
        let answer = try call("/kith.v1.PointService/Count", ["collection": collection], as: Answer.self)
        return UInt64(answer.count) ?? 0
    }

    /// All points as they stand now, some at a time. Stops early where `visit` answers false.
    public func export(
        _ collection: String, payload: Bool = true, vectors: Bool = false,
        _ visit: ([ClientPoint]) throws(KithError) -> Bool
    ) throws(KithError) {
        struct Request: Encodable {
            var collection: String
            var select: WireSelector
        }
        let request = Request(collection: collection, select: WireSelector(payload: payload, vectors: vectors))
        let message = try MessageJSON.encode(try MessageJSON.data(request), as: "kith.v1.ExportRequest")
        let stream = try MessageStream(self, "/kith.v1.PointService/Export", request: message)
        while let part = stream.read() {
            if try !visit(try points(part, kith_decode_export_response)) { return stream.cancel() }
        }
        try stream.finish()
    }

    private func points(
        _ answer: WireBuffer, _ decode: (KithBytes, UnsafeMutablePointer<KithPointsView>) -> OpaquePointer?
    ) throws(KithError) -> [ClientPoint] {
        var view = KithPointsView()
        let message = try WireMessage(answer: answer) { decode($0, &view) }
        defer { withExtendedLifetime(message) {} }
        var points: [ClientPoint] = []
        points.reserveCapacity(view.point_count)
        for point in UnsafeBufferPointer(start: view.points, count: view.point_count) {
            points.append(try ClientPoint(point))
        }
        return points
    }
}

/// A `PointSelector` in JSON.
struct WireSelector: Encodable {
    var payload: Bool
    var vectors: Bool
}

/// A `PointId` in JSON: numbers as text, UUIDs in base64, as protobuf has them.
public struct WireID: Codable, Sendable {
    var number: String?
    var uuid: String?
    var name: String?

    /// Sets the one field that stands for the kind of id.
    public init(_ id: PointID) {
        switch id {
        case .number(let value): number = "\(value)"
        case .uuid: uuid = Data(id.encoded.dropFirst()).base64EncodedString()
        case .string(let text): name = text
        }
    }

    /// Nil where it has no form, or a malformed one.
    public var id: PointID? {
        if let number { return UInt64(number).map(PointID.number) }
        if let uuid, let bytes = Data(base64Encoded: uuid) {
            return ([PointID.Kind.uuid.rawValue] + bytes).withUnsafeBytes { PointID(encoded: $0) }
        }
        return name.map(PointID.string)
    }
}

extension WireMessage {
    /// A parsed answer of the server.
    convenience init(answer: WireBuffer, _ decode: (KithBytes) -> OpaquePointer?) throws(KithError) {
        let handle = try answer.withBytes { (bytes) throws(KithError) in decode(bytes) }
        guard let handle else {
            throw KithError(.internal, .malformedMessage, "the server's answer is not a message of this method")
        }
        try self.init(handle)
    }
}
