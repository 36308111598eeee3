import KithCommands
import KithCore

/// One top-level field of a payload, its value as it was written.
package struct PayloadField: Sendable {
    package var name: String
    /// JSON.
    package var value: ArraySlice<UInt8>

    package var isNull: Bool { JSONText.isNull(value) }

    /// A string without its quotes; any other value as JSON.
    package var text: [UInt8] {
        guard value.first == UInt8(ascii: "\""), let string = try? JSONText.string(value) else { return Array(value) }
        return Array(string.utf8)
    }
}

/// Payloads, a level deep.
package enum PayloadFields {
    /// The fields in the order written, of equal names the last; none of a payload that is no object, which the server does not store.
    package static func of(_ image: ChangeRecord.Image?) -> [PayloadField] {
        guard let payload = image?.payload, !payload.isEmpty,
            let members = try? JSONText.members(Array(payload.utf8)[...])
        else { return [] }
        var places: [String: Int] = [:]
        var fields: [PayloadField] = []
        for (key, value) in members {
            if let place = places[key] {
                fields[place].value = value
            } else {
                places[key] = fields.count
                fields.append(PayloadField(name: key, value: value))
            }
        }
        return fields
    }

    /// Fields as a JSON object in order of name; empty where there are none.
    package static func object(_ fields: some Sequence<PayloadField>) -> [UInt8] {
        let sorted = fields.sorted { $0.name < $1.name }
        guard !sorted.isEmpty else { return [] }
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (place, field) in sorted.enumerated() {
            if place > 0 { text.append(UInt8(ascii: ",")) }
            text += Array(PointText.quoted(field.name).utf8) + [UInt8(ascii: ":")] + field.value
        }
        return text + [UInt8(ascii: "}")]
    }

    /// Whether a column may have this name.
    package static func isColumn(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.columnNameBytes && !name.utf8.contains(0)
    }
}
