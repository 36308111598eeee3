import KithCommands
import KithCore

/// RFC 4180: CRLF, quotes where they are needed. A column for each payload field, in the order in which fields were first seen; fields
/// that may have no column share `rest`, as a JSON object.
package struct CSVFormat: RowFormat {
    /// The columns that every file has, before those of the payload.
    package static let fixed = ["event", "op", "id", "version", "time", "vectors", "rest"]

    let vectors: VectorStyle

    package init(vectors: VectorStyle) { self.vectors = vectors }

    package var fileExtension: String { "csv" }

    package func header(_ columns: [String]) -> [UInt8] {
        CSVFormat.line(CSVFormat.fixed.map { Array($0.utf8) } + columns.map { Array("payload.\($0)".utf8) })
    }

    package func fields(of change: ChangeRecord) -> [String] {
        PayloadFields.of(change.after).filter { !$0.isNull }.map(\.name)
    }

    package func row(_ change: ChangeRecord, _ columns: [String]) -> [UInt8] {
        var values: [String: PayloadField] = [:]
        for field in PayloadFields.of(change.after) { values[field.name] = field }
        let cells = columns.map { name in values.removeValue(forKey: name).flatMap { $0.isNull ? nil : $0.text } }
        let texts = change.after.map { VectorText.all($0, vectors) } ?? []
        let list = texts.map { "\(PointText.quoted($0.space)):\($0.text)" }.joined(separator: ",")
        let first = [change.id, change.operation.rawValue, change.point.description, "\(change.version)", change.timestamp]
        let rest = PayloadFields.object(values.values.filter { !$0.isNull })
        return CSVFormat.line(
            first.map { Array($0.utf8) } + [list.isEmpty ? nil : Array("{\(list)}".utf8), rest.isEmpty ? nil : rest] + cells)
    }

    /// A cell that is there and empty is quoted, so that it differs from one that is not there.
    static func line(_ cells: [[UInt8]?]) -> [UInt8] {
        var line: [UInt8] = []
        for (place, cell) in cells.enumerated() {
            if place > 0 { line.append(UInt8(ascii: ",")) }
            if let cell { append(cell, to: &line) }
        }
        return line + [0x0D, 0x0A]
    }

    private static func append(_ cell: [UInt8], to line: inout [UInt8]) {
        let needsQuotes = cell.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0D || $0 == 0x0A
        }
        guard needsQuotes || cell.isEmpty else { return line += cell }
        line.append(UInt8(ascii: "\""))
        for byte in cell {
            if byte == UInt8(ascii: "\"") { line.append(byte) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }
}
