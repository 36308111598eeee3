import Foundation
package import KithCore

/// What the fields of a row are called.
package struct FieldNames: Sendable {
    package var id = "id"
    /// One vector.
    package var vector = "vector"
    /// An object of vectors, by vector space.
    package var vectors = "vectors"
    package var payload = "payload"

    package init() {}
}

/// A row of JSON to a point.
package struct RowFields {
    package let names: FieldNames

    /// - Parameter vectors: those that another file has for this row; nil where the row has its own.
    /// - Parameter defaultID: for rows without an id.
    package func point(
        _ line: ArraySlice<UInt8>, vectors outside: [RowVector]? = nil, defaultID: PointID? = nil
    ) throws(RowProblem) -> RowPoint {
        var id = defaultID
        var vectors = outside ?? []
        var payload: ArraySlice<UInt8>?
        var others: [(key: String, value: ArraySlice<UInt8>)] = []
        for (key, value) in try JSONText.members(line) {
            switch key {
            case names.id: id = try RowFields.id(value)
            case names.vector where outside == nil:
                if !JSONText.isNull(value) { vectors.append(RowVector(components: try RowFields.components(value))) }
            case names.vectors where outside == nil && value.first == UInt8(ascii: "{"):
                for (space, vector) in try JSONText.members(value) {
                    vectors.append(RowVector(space: space, components: try RowFields.components(vector)))
                }
            case names.payload where value.first == UInt8(ascii: "{") || JSONText.isNull(value): payload = value
            default: others.append((key, value))
            }
        }
        guard let id else { throw RowProblem("there is no field '\(names.id)'") }
        return RowPoint(id: id, vectors: vectors, payload: RowFields.payload(payload, others))
    }

    /// The payload that the row names; without one all other fields, as they were written.
    private static func payload(
        _ named: ArraySlice<UInt8>?, _ others: [(key: String, value: ArraySlice<UInt8>)]
    ) -> String {
        if let named { return JSONText.isNull(named) ? "" : String(decoding: named, as: UTF8.self) }
        if others.isEmpty { return "" }
        return
            "{\(others.map { "\(PointText.quoted($0.key)):\(String(decoding: $0.value, as: UTF8.self))" }.joined(separator: ","))}"
    }

    /// An unsigned number, or a string; one in the form of a UUID is a UUID.
    package static func id(_ value: ArraySlice<UInt8>) throws(RowProblem) -> PointID {
        if value.first == UInt8(ascii: "\"") {
            let text = try JSONText.string(value)
            guard !text.isEmpty else { throw RowProblem("the id is empty") }
            return PointText.stringID(text)
        }
        guard let number = UInt64(String(decoding: value, as: UTF8.self)) else {
            throw RowProblem("the id is '\(JSONText.excerpt(value))', neither an unsigned number nor a string")
        }
        return .number(number)
    }

    /// An array of numbers, or base64 of little-endian components.
    package static func components(_ value: ArraySlice<UInt8>) throws(RowProblem) -> RowComponents {
        guard value.first == UInt8(ascii: "\"") else { return .numbers(try JSONText.numbers(value)) }
        guard let data = Data(base64Encoded: try JSONText.string(value)) else {
            throw RowProblem("the vector is a string, but not base64")
        }
        return .raw([UInt8](data))
    }
}
