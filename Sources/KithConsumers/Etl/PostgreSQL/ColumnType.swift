import KithCommands
import KithCore

/// The type of a column that holds a payload field.
///
/// The first value that is not null decides it; a later one that does not fit widens it: `bigint` to `numeric` for other numbers, and anything
/// to `jsonb`, which holds every value. Columns never become narrower, so that no value is lost and every process decides alike.
package enum ColumnType: String, Sendable, CaseIterable {
    case bigint, numeric, text, boolean, jsonb

    /// The narrowest type that holds a JSON value; nil for null, which fits any.
    package init?(_ value: ArraySlice<UInt8>) {
        switch value.first {
        case UInt8(ascii: "\""): self = .text
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .boolean
        case UInt8(ascii: "n"), nil: return nil
        case UInt8(ascii: "{"), UInt8(ascii: "["): self = .jsonb
        default: self = Int64(String(decoding: value, as: UTF8.self)) == nil ? .numeric : .bigint
        }
    }

    /// The narrowest type that holds the values of both.
    package func union(_ other: ColumnType) -> ColumnType {
        if self == other { return self }
        return [self, other].allSatisfy { $0 == .bigint || $0 == .numeric } ? .numeric : .jsonb
    }

    /// How an existing column is made this type.
    package func conversion(of column: String) -> String {
        self == .jsonb ? "to_jsonb(\(column))" : "\(column)::\(rawValue)"
    }

    /// The value as PostgreSQL reads it.
    package func text(_ field: PayloadField) -> [UInt8] { self == .text ? field.text : Array(field.value) }
}
