import Foundation
package import KithAPI
package import KithCore

/// Points as JSON text: what `kith export` writes and `kith import` reads.
package enum PointText {
    /// An id: a number, or a string; one in the form of a UUID is a UUID.
    package static func id(_ id: PointID) -> String {
        switch id {
        case .number(let number): "\(number)"
        case .uuid, .string: quoted(id.description)
        }
    }

    /// The id that a text stands for, as on a command line or in a table.
    package static func id(_ text: String) -> PointID {
        if let number = UInt64(text), String(number) == text { return .number(number) }
        return stringID(text)
    }

    /// The id that a JSON string stands for.
    package static func stringID(_ text: String) -> PointID {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text) else { return .string(text) }
        let bytes = withUnsafeBytes(of: uuid.uuid) {
            ($0.bigEndian(at: 0, as: UInt64.self), $0.bigEndian(at: 8, as: UInt64.self))
        }
        return .uuid(PointID.UUIDBytes(high: bytes.0, low: bytes.1))
    }

    /// Components as a JSON array; those of a binary vector as base64, which has no numbers.
    package static func components(_ vector: ClientVector, of element: ElementType) -> String {
        switch vector.components {
        case .floats(let values): array(values)
        case .bytes(let bytes, let own):
            switch own ?? element {
            case .binary: quoted(Data(bytes).base64EncodedString())
            case .float32, .float16, .bfloat16, .int8, .uint8: array(VectorComponents.floats(bytes, own ?? element))
            }
        }
    }

    private static func array(_ values: [Float]) -> String {
        // Whole numbers without a fraction: shorter, and integers stay what they are.
        let texts = values.map { $0 == $0.rounded() && abs($0) < 1e7 ? "\(Int($0))" : "\($0)" }
        return "[\(texts.joined(separator: ","))]"
    }

    /// A point as a JSON object on one line.
    package static func line(_ point: ClientPoint, spaces: [CollectionSummary.Space], vectors: Bool, score: Bool = false)
        -> String
    {
        var members = ["\"id\":\(id(point.id))"]
        if score { members.append("\"score\":\(point.score)") }
        if vectors {
            let texts = point.vectors.map { vector in
                let space = spaces.first { $0.name == vector.space } ?? spaces.first
                return (vector.space, components(vector, of: space?.element ?? .float32))
            }
            if spaces.count == 1, let only = texts.first {
                members.append("\"vector\":\(only.1)")
            } else if !texts.isEmpty {
                members.append("\"vectors\":{\(texts.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ","))}")
            }
        }
        members.append("\"payload\":\(point.payload.isEmpty ? "null" : point.payload)")
        members.append("\"version\":\(point.version)")
        return "{\(members.joined(separator: ","))}"
    }

    /// A JSON string.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..<" ": quoted += String(format: "\\u%04x", scalar.value)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
