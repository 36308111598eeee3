import Foundation
package import KithAPI
package import KithCommands
package import KithCore

/// Which field of a JSON record is what part of a point: what a mapping file says.
///
///     {"collection": "products", "id": "sku", "vectors": {"": "embedding"}, "payload": ["name", "price"],
///      "delete": {"field": "op", "equals": "d"}}
///
/// A field may lie deeper, as `after.sku`. `id` may be `$key`: the record's key; only then is a record without a value a deletion. Without
/// `payload` everything but the id and the vectors is payload, in a record of one level.
package struct RecordMapping: Sendable {
    /// Marks a deletion.
    package struct Deletion: Decodable, Sendable {
        /// The field that says so, and the text that it then has.
        package var field: String
        package var equals: String
    }

    private struct File: Decodable {
        var collection: String
        var id: String
        var vectors: [String: String]?
        var payload: [String]?
        var delete: Deletion?
    }

    /// Stands for the record's key in the place of a field.
    package static let recordKey = "$key"
    private static let keys: Set<String> = ["collection", "id", "vectors", "payload", "delete"]

    package let collection: String
    private let id: String
    private let vectors: [(space: String, field: String)]
    private let payload: [String]?
    private let deletion: Deletion?

    /// - Throws: `INVALID_CONFIGURATION`, saying what is wrong where.
    package init(_ text: [UInt8], name: String) throws(KithError) {
        func wrong(_ what: String, _ key: String = "") -> KithError { .usage("mapping \(name): \(what)", key: key) }
        guard let object = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any] else {
            throw wrong("is no JSON object")
        }
        if let unknown = object.keys.sorted().first(where: { !RecordMapping.keys.contains($0) }) {
            throw wrong("'\(unknown)' is not one of \(RecordMapping.keys.sorted().joined(separator: ", "))", unknown)
        }
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: Data(text)) } catch let error as DecodingError {
            throw wrong(error.place)
        } catch { throw wrong("\(error)") }
        guard !file.collection.isEmpty else { throw wrong("'collection' is empty", "collection") }
        guard !file.id.isEmpty else { throw wrong("'id' is empty", "id") }
        guard (file.vectors ?? [:]).count <= Limits.vectorSpaces else {
            throw wrong("over \(Limits.vectorSpaces) vectors", "vectors")
        }
        guard (file.payload ?? []).count <= Limits.payloadColumns else {
            throw wrong("over \(Limits.payloadColumns) payload fields", "payload")
        }
        collection = file.collection
        id = file.id
        vectors = (file.vectors ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        payload = file.payload
        deletion = file.delete
    }

    /// What a record asks for.
    package func operation(of record: ConsumedRecord, _ spaces: SpaceVectors) throws(Poison) -> ClientOperation {
        do throws(RowProblem) {
            guard let value = record.value else {
                guard id == RecordMapping.recordKey else {
                    throw RowProblem("the record has no value, and its key is not the id")
                }
                return ClientOperation(id: try key(record), .delete)
            }
            let members = try JSONText.members(value[...])
            let point = try pointID(members, record)
            if let deletion, let field = try RecordMapping.field(deletion.field, members),
                String(decoding: PayloadField(name: "", value: field).text, as: UTF8.self) == deletion.equals
            {
                return ClientOperation(id: point, .delete)
            }
            return ClientOperation(
                id: point, .upsert(vectors: try vectors(members, spaces), payload: try payload(members), mode: .upsert))
        } catch { throw Poison(error.reason) }
    }

    private typealias Members = [(key: String, value: ArraySlice<UInt8>)]

    private func key(_ record: ConsumedRecord) throws(RowProblem) -> PointID {
        guard let key = record.key, !key.isEmpty, let text = String(validating: key, as: UTF8.self) else {
            throw RowProblem("the record has no key that is text")
        }
        return PointText.id(text)
    }

    private func pointID(_ members: Members, _ record: ConsumedRecord) throws(RowProblem) -> PointID {
        if id == RecordMapping.recordKey { return try key(record) }
        guard let value = try RecordMapping.field(id, members) else { throw RowProblem("there is no field '\(id)'") }
        return try RowFields.id(value)
    }

    private func vectors(_ members: Members, _ spaces: SpaceVectors) throws(RowProblem) -> [ClientVector] {
        var result: [ClientVector] = []
        for (space, field) in vectors {
            guard let value = try RecordMapping.field(field, members), !JSONText.isNull(value) else { continue }
            result.append(try spaces.vector(RowVector(space: space, components: try RowFields.components(value))))
        }
        return result
    }

    private func payload(_ members: Members) throws(RowProblem) -> String {
        var fields: [PayloadField] = []
        if let payload {
            for path in payload {
                guard let value = try RecordMapping.field(path, members) else { continue }
                fields.append(PayloadField(name: String(path.split(separator: ".").last ?? ""), value: value))
            }
        } else {
            let taken = Set(vectors.map(\.field) + [id])
            fields = members.filter { !taken.contains($0.key) }.map { PayloadField(name: $0.key, value: $0.value) }
        }
        return String(decoding: PayloadFields.object(fields), as: UTF8.self)
    }

    /// A member by its name, or deeper by a path with dots.
    private static func field(_ path: String, _ members: Members) throws(RowProblem) -> ArraySlice<UInt8>? {
        if let member = members.last(where: { $0.key == path }) { return member.value }
        guard let dot = path.firstIndex(of: "."),
            let outer = members.last(where: { $0.key == path[..<dot] }), outer.value.first == UInt8(ascii: "{")
        else { return nil }
        return try field(String(path[path.index(after: dot)...]), try JSONText.members(outer.value))
    }
}

extension DecodingError {
    /// What does not fit, where.
    var place: String {
        switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
        default: "malformed JSON"
        }
    }
}
