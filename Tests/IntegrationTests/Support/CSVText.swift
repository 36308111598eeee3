import TestSupport

/// CSV as RFC 4180 has it, or with bare line feeds.
enum CSVText {
    /// The rows, each cell by its column.
    static func rows(_ text: String) throws -> [[String: String]] {
        var rows: [[String]] = [[]]
        var cell = ""
        var quoted = false
        var characters = Array(text.unicodeScalars)[...]
        while let next = characters.popFirst() {
            switch next {
            case "\"" where quoted && characters.first == "\"":
                cell.unicodeScalars.append(next)
                characters.removeFirst()
            case "\"": quoted.toggle()
            case "\r" where !quoted: break
            case ",", "\n":
                guard !quoted else { fallthrough }
                rows[rows.count - 1].append(cell)
                cell = ""
                if next == "\n" { rows.append([]) }
            default: cell.unicodeScalars.append(next)
            }
        }
        guard rows.removeLast().isEmpty, cell.isEmpty else {
            throw ChildProcess.Failure(description: "the last line has no end: \(cell)")
        }
        guard let header = rows.first else { return [] }
        return try rows.dropFirst().map { row in
            guard row.count == header.count else {
                throw ChildProcess.Failure(description: "\(row.count) cells under \(header.count) columns: \(row)")
            }
            return Dictionary(uniqueKeysWithValues: zip(header, row))
        }
    }
}
