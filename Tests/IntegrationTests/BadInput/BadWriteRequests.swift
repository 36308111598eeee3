import Foundation
import TestSupport

extension BadRequest {
    private static func upsert(_ points: JSON, _ more: [String: JSON] = [:]) -> JSON {
        var request: JSON = ["collection": "docs", "points": points]
        for (field, value) in more { request[field] = value }
        return request
    }

    /// An upsert of one point into a collection.
    private static func write(_ vector: JSON, into collection: String = "docs") -> JSON {
        ["collection": .text(collection), "points": [Make.point(Make.id(9), [vector])]]
    }

    private static func write(id: JSON) -> JSON { upsert([Make.point(id, [])]) }
    private static func write(payload: String) -> JSON { upsert([Make.point(Make.id(9), [], payload: payload)]) }

    private static func batch(_ operation: JSON, in collection: String = "docs") -> JSON {
        ["collection": .text(collection), "operations": [["delete": ["id": Make.id(404)]], operation]]
    }

    private static func typed(_ element: JSON) -> JSON {
        ["data": .bytes([UInt8](repeating: 1, count: 12)), "elementType": element]
    }

    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static let vector = "points[0].vectors[0]"

    static let vectors: [BadRequest] = [
        BadRequest(
            "wrong dimension", .upsert, write(Make.vector([1, 2, 3, 4])), "INVALID_DIMENSION", "\(vector).values"),
        BadRequest(
            "wrong number of bytes", .upsert, write(Make.vector(bytes: [1, 2, 3])), "INVALID_DIMENSION", "\(vector).data"),
        BadRequest("empty vector", .upsert, write(["space": ""]), "REQUIRED_FIELD_MISSING", "\(vector).data"),
        BadRequest("NaN", .upsert, write(Make.vector([1, .nan, 3])), "NON_FINITE_VECTOR", vector),
        BadRequest("infinity", .upsert, write(Make.vector([1, 2, .infinity])), "NON_FINITE_VECTOR", vector),
        BadRequest(
            "NaN in bytes", .upsert, write(Make.vector(bytes: [0, 0, 0xC0, 0xFF] + [UInt8](repeating: 0, count: 8))),
            "NON_FINITE_VECTOR", vector),
        BadRequest("zero under cosine", .upsert, write(Make.vector([0, 0, 0])), "ZERO_VECTOR", vector),
        BadRequest("negative zero under cosine", .upsert, write(Make.vector([-0.0, 0, 0])), "ZERO_VECTOR", vector),
        BadRequest(
            "wrong element type", .upsert, write(typed("ELEMENT_TYPE_INT8")), "ELEMENT_TYPE_MISMATCH",
            "\(vector).element_type"),
        BadRequest("unknown element type", .upsert, write(typed(42)), "UNKNOWN_ENUM_VALUE", "\(vector).element_type"),
        BadRequest(
            "data and values", .upsert,
            write(["data": .bytes([UInt8](repeating: 1, count: 12)), "values": [1, 2, 3]]), "INVALID_VALUE", vector),
        BadRequest(
            "floats for bits", .upsert, write(Make.vector([Float](repeating: 1, count: 16)), into: "bits"),
            "ELEMENT_TYPE_MISMATCH", "\(vector).values"),
        BadRequest(
            "value that does not fit int8", .upsert, write(Make.vector([1, 2, 128, 4], space: "image"), into: "pairs"),
            "ELEMENT_TYPE_MISMATCH", "\(vector).values[2]"),
        BadRequest(
            "NaN for int8", .upsert, write(Make.vector([.nan, 2, 3, 4], space: "image"), into: "pairs"),
            "ELEMENT_TYPE_MISMATCH", "\(vector).values[0]"),
        BadRequest(
            "unknown space", .upsert, write(Make.vector([1, 2, 3], space: "smell")), "UNKNOWN_VECTOR_SPACE", "\(vector).space"),
        BadRequest(
            "no space among two", .upsert, write(Make.vector([1, 2]), into: "pairs"), "UNKNOWN_VECTOR_SPACE",
            "\(vector).space"),
        BadRequest(
            "a vector where there are no spaces", .upsert, write(Make.vector([1, 2]), into: "bare"), "UNKNOWN_VECTOR_SPACE",
            "\(vector).space"),
        BadRequest(
            "space twice", .upsert, upsert([Make.point(Make.id(9), [Make.vector([1, 2, 3]), Make.vector([1, 2, 3])])]),
            "DUPLICATE_NAME", "points[0].vectors[1].space"),
        BadRequest(
            "too many vectors", .upsert,
            upsert([Make.point(Make.id(9), (0..<17).map { _ in Make.vector([1, 2, 3]) })]), "LIMIT_EXCEEDED",
            "points[0].vectors"),
    ]

    static let points: [BadRequest] = [
        BadRequest("no collection", .upsert, ["points": [Make.point(9, [1, 2, 3])]], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "unknown collection", .upsert, ["collection": "nowhere", "points": [Make.point(9, [1, 2, 3])]],
            "COLLECTION_NOT_FOUND", "collection", code: .notFound),
        BadRequest("no points", .upsert, upsert([]), "REQUIRED_FIELD_MISSING", "points"),
        BadRequest(
            "too many points", .upsert, upsert(.all(0..<10_001) { Make.point(Make.id($0), []) }), "LIMIT_EXCEEDED", "points"),
        BadRequest(
            "point without an id", .upsert, upsert([Make.point(9, [1, 2, 3]), [:]]), "REQUIRED_FIELD_MISSING", "points[1].id"),
        BadRequest("id of no form", .upsert, write(id: [:]), "REQUIRED_FIELD_MISSING", "points[0].id"),
        BadRequest(
            "UUID of 15 bytes", .upsert, write(id: ["uuid": .bytes([UInt8](repeating: 1, count: 15))]), "INVALID_POINT_ID",
            "points[0].id.uuid"),
        BadRequest("empty UUID", .upsert, write(id: ["uuid": ""]), "INVALID_POINT_ID", "points[0].id.uuid"),
        BadRequest("empty name", .upsert, write(id: Make.id("")), "INVALID_POINT_ID", "points[0].id.name"),
        BadRequest("name too long", .upsert, write(id: Make.id(text(257))), "INVALID_POINT_ID", "points[0].id.name"),
        BadRequest("unknown mode", .upsert, upsert([Make.point(9, [1, 2, 3])], ["mode": 17]), "UNKNOWN_ENUM_VALUE", "mode"),
        BadRequest(
            "unknown durability", .upsert, upsert([Make.point(9, [1, 2, 3])], ["durability": -1]), "UNKNOWN_ENUM_VALUE",
            "durability"),
        BadRequest(
            "request id too long", .upsert, upsert([Make.point(9, [1, 2, 3])], ["requestId": .text(text(129))]),
            "LIMIT_EXCEEDED", "request_id"),
        BadRequest(
            "if_version of two points", .upsert,
            upsert([Make.point(8, [1, 2, 3]), Make.point(9, [1, 2, 3])], ["ifVersion": "1"]), "INVALID_VALUE", "if_version"),
        BadRequest("payload that is no JSON", .upsert, write(payload: "{"), "INVALID_PAYLOAD", "points[0].payload_json"),
        BadRequest("payload that is no object", .upsert, write(payload: "[1]"), "INVALID_PAYLOAD", "points[0].payload_json"),
        BadRequest(
            "payload and more", .upsert, write(payload: #"{"a":1} {"b":2}"#), "INVALID_PAYLOAD", "points[0].payload_json"),
        BadRequest(
            "payload with a bare word", .upsert, write(payload: #"{"a":NaN}"#), "INVALID_PAYLOAD", "points[0].payload_json"),
        BadRequest(
            "payload too deep", .upsert,
            write(payload: #"{"a":"# + String(repeating: "[", count: 32) + String(repeating: "]", count: 32) + "}"),
            "PAYLOAD_TOO_DEEP", "points[0].payload_json"),
        BadRequest(
            "payload as deep as it is long", .upsert, write(payload: #"{"a":"# + String(repeating: "[", count: 1_000_000)),
            "PAYLOAD_TOO_DEEP", "points[0].payload_json"),
        BadRequest(
            "payload too large", .upsert, write(payload: #"{"a":"\#(text(1 << 20))"}"#), "LIMIT_EXCEEDED",
            "points[0].payload_json"),
        BadRequest(
            "payload that is not UTF-8", .upsert,
            bytes: {
                // The JSON text goes in as ASCII; one of its letters is broken on the wire.
                var bytes = try Message.encode(write(payload: #"{"a":"QQ"}"#), as: Method.upsert.requestType)
                guard let place = bytes.lastIndex(of: UInt8(ascii: "Q")) else { return bytes }
                bytes[place] = 0xFF
                return bytes
            }, "MALFORMED_MESSAGE", ""),
        BadRequest(
            "message just too large", .upsert, ["collection": .text(text(16 << 20 | 64))], "MESSAGE_TOO_LARGE", "",
            code: .resourceExhausted),
        BadRequest(
            "message far too large", .upsert, bytes: { [UInt8](repeating: 0, count: 40 << 20) }, "", "",
            code: .resourceExhausted),
    ]

    static let operations: [BadRequest] = [
        BadRequest("no operations", .batchWrite, ["collection": "docs"], "REQUIRED_FIELD_MISSING", "operations"),
        BadRequest("empty operation", .batchWrite, batch([:]), "REQUIRED_FIELD_MISSING", "operations[1].operation"),
        BadRequest(
            "too many operations", .batchWrite,
            ["collection": "docs", "operations": .all(0..<10_001) { ["delete": ["id": Make.id($0)]] }], "LIMIT_EXCEEDED",
            "operations"),
        BadRequest(
            "zero vector behind a good operation", .batchWrite,
            batch(["upsert": ["point": Make.point(9, [0, 0, 0])]]), "ZERO_VECTOR", "operations[1].upsert.point.vectors[0]"),
        BadRequest(
            "unknown mode", .batchWrite, batch(["upsert": ["point": Make.point(9, [1, 0, 0]), "mode": 4]]),
            "UNKNOWN_ENUM_VALUE", "operations[1].upsert.mode"),
        BadRequest(
            "deletion of nothing", .batchWrite, batch(["delete": [:]]), "REQUIRED_FIELD_MISSING", "operations[1].delete.id"),
        BadRequest(
            "payload mode missing", .batchWrite, batch(["updatePayload": ["id": Make.id(1), "payloadJson": "{}"]]),
            "REQUIRED_FIELD_MISSING", "operations[1].update_payload.mode"),
        BadRequest(
            "no change of vectors", .batchWrite, batch(["updateVectors": ["id": Make.id(1)]]), "REQUIRED_FIELD_MISSING",
            "operations[1].update_vectors.vectors"),
        BadRequest(
            "unknown space to remove", .batchWrite,
            batch(["updateVectors": ["id": Make.id(1), "removeSpaces": ["smell"]]], in: "pairs"), "UNKNOWN_VECTOR_SPACE",
            "operations[1].update_vectors.remove_spaces[0]"),
        BadRequest("no ids", .delete, ["collection": "docs"], "REQUIRED_FIELD_MISSING", "ids"),
        BadRequest(
            "too many ids", .delete, ["collection": "docs", "ids": .all(0..<10_001) { Make.id($0) }], "LIMIT_EXCEEDED", "ids"),
        BadRequest(
            "malformed id behind a good one", .delete, ["collection": "docs", "ids": [Make.id(404), ["uuid": "AAAA"]]],
            "INVALID_POINT_ID", "ids[1].uuid"),
        BadRequest(
            "if_version of two ids", .delete,
            ["collection": "docs", "ids": [Make.id(404), Make.id(405)], "ifVersion": "3"], "INVALID_VALUE", "if_version"),
        BadRequest(
            "no mode", .updatePayload, ["collection": "docs", "ids": [Make.id(1)], "payloadJson": "{}"],
            "REQUIRED_FIELD_MISSING", "mode"),
        BadRequest(
            "unknown mode", .updatePayload, ["collection": "docs", "ids": [Make.id(1)], "mode": 9], "UNKNOWN_ENUM_VALUE",
            "mode"),
        BadRequest(
            "nothing to merge", .updatePayload, ["collection": "docs", "ids": [Make.id(1)], "mode": "PAYLOAD_MODE_MERGE"],
            "REQUIRED_FIELD_MISSING", "payload_json"),
        BadRequest(
            "no keys to delete", .updatePayload,
            ["collection": "docs", "ids": [Make.id(1)], "mode": "PAYLOAD_MODE_DELETE_KEYS"], "REQUIRED_FIELD_MISSING", "keys"),
        BadRequest(
            "too many keys", .updatePayload,
            [
                "collection": "docs", "ids": [Make.id(1)], "mode": "PAYLOAD_MODE_DELETE_KEYS",
                "keys": .all(0..<1_001) { .text("\($0)") },
            ], "LIMIT_EXCEEDED", "keys"),
        BadRequest(
            "list for a payload", .updatePayload,
            ["collection": "docs", "ids": [Make.id(1)], "mode": "PAYLOAD_MODE_SET", "payloadJson": "[]"], "INVALID_PAYLOAD",
            "payload_json"),
        BadRequest(
            "wrong dimension", .updateVectors,
            ["collection": "docs", "operations": [["id": Make.id(1), "vectors": [Make.vector([1])]]]], "INVALID_DIMENSION",
            "operations[0].vectors[0].values"),
        BadRequest(
            "set and removed", .updateVectors,
            [
                "collection": "pairs",
                "operations": [["id": Make.id(1), "vectors": [Make.vector([1, 2], space: "text")], "removeSpaces": ["text"]]],
            ], "DUPLICATE_NAME", "operations[0].remove_spaces[0]"),
    ]
}
