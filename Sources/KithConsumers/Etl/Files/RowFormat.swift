package import KithCore

/// How changes stand in a file.
package protocol RowFormat: Sendable {
    /// Of the files' names.
    var fileExtension: String { get }

    /// What a file with these payload columns begins with.
    func header(_ columns: [String]) -> [UInt8]

    /// The payload fields of a change that want a column of their own; none in formats without columns.
    func fields(of change: ChangeRecord) -> [String]

    /// One change, with its line end.
    func row(_ change: ChangeRecord, _ columns: [String]) -> [UInt8]
}

/// How vectors are written by a sink.
package enum VectorStyle: Sendable, Equatable {
    /// Not at all.
    case none
    /// As numbers, their components being of this type.
    case numbers(ElementType)
}
