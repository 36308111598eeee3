package import KithCore

/// Why a row cannot be taken; the others can.
package struct RowProblem: Error, Equatable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Components of one vector, as a file has them.
package enum RowComponents: Sendable, Equatable {
    case numbers([Float])
    /// Little-endian components of that type.
    case stored([UInt8], ElementType)
    /// Components of the vector space's own type.
    case raw([UInt8])
}

/// One vector of a row; the space is empty where the file does not name one.
package struct RowVector: Sendable, Equatable {
    package var space: String
    package var components: RowComponents

    package init(space: String = "", components: RowComponents) {
        self.space = space
        self.components = components
    }
}

/// A point as a file has it.
package struct RowPoint: Sendable, Equatable {
    package var id: PointID
    package var vectors: [RowVector] = []
    /// A JSON object; empty means none.
    package var payload = ""
}

/// A row: its number, for messages and for resuming, and what it says.
package struct Row: Sendable {
    /// Line of a text file from 1, of a CSV file the line on which the row begins; row of a vector file from 1.
    package var number: Int
    package var point: Result<RowPoint, RowProblem>
}

/// Reads a file row by row, front to back.
package protocol RowReader: AnyObject {
    /// The next row after `skip`; nil at the end.
    ///
    /// - Throws: only what makes the rest of the file unreadable.
    func next() throws(KithError) -> Row?

    /// Bytes read so far, and bytes there are; nil for a pipe.
    var bytesRead: Int { get }
    var bytesTotal: Int? { get }
}
