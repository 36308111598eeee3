import Foundation

/// A JSON value: how tests write requests, and read answers of any shape.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    public subscript(key: String) -> JSON {
        get { if case .object(let fields) = self { fields[key] ?? .null } else { .null } }
        set {
            guard case .object(var fields) = self else { return }
            fields[key] = newValue
            self = .object(fields)
        }
    }

    public subscript(index: Int) -> JSON {
        if case .list(let items) = self, items.indices.contains(index) { items[index] } else { .null }
    }

    public var list: [JSON] { if case .list(let items) = self { items } else { [] } }
    public var string: String? { if case .text(let text) = self { text } else { nil } }
    public var isTrue: Bool { self == .bool(true) }

    /// A number; also one written as text, as protobuf JSON has those of 64 bits.
    public var double: Double? {
        switch self {
        case .number(let value): value
        case .text(let text): Double(text)
        default: nil
        }
    }

    /// A whole number; also one written as text.
    public var integer: UInt64? {
        switch self {
        case .number(let value): UInt64(exactly: value)
        case .text(let text): UInt64(text)
        default: nil
        }
    }

    /// A list of any values.
    public static func all<Item>(_ items: some Sequence<Item>, _ value: (Item) -> JSON) -> JSON { .list(items.map(value)) }

    /// Bytes as protobuf JSON has them.
    public static func bytes(_ bytes: some Sequence<UInt8>) -> JSON { .text(Data(bytes).base64EncodedString()) }

    /// Numbers too large for a double, as protobuf JSON has them.
    public static func number(_ value: some BinaryInteger) -> JSON { .text("\(value)") }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral items: JSON...) { self = .list(items) }
    public init(dictionaryLiteral fields: (String, JSON)...) { self = .object(Dictionary(uniqueKeysWithValues: fields)) }
}

extension JSON: Codable {
    public init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: FieldName.self) {
            self = .object(
                try Dictionary(
                    uniqueKeysWithValues: fields.allKeys.map { ($0.stringValue, try fields.decode(JSON.self, forKey: $0)) }))
        } else if var items = try? decoder.unkeyedContainer() {
            var list: [JSON] = []
            while !items.isAtEnd { list.append(try items.decode(JSON.self)) }
            self = .list(list)
        } else {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let bool = try? value.decode(Bool.self) {
                self = .bool(bool)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .null
            }
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let fields):
            var container = encoder.container(keyedBy: FieldName.self)
            for (name, value) in fields { try container.encode(value, forKey: FieldName(stringValue: name)) }
        case .list(let items): try items.encode(to: encoder)
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .text(let value): try value.encode(to: encoder)
        // Protobuf JSON writes what is no number as text.
        case .number(let value) where !value.isFinite:
            try (value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity").encode(to: encoder)
        case .number(let value): try value.encode(to: encoder)
        }
    }

    private struct FieldName: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
