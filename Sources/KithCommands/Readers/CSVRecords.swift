package import KithCore

/// The records of a CSV file. A quoted cell may hold commas, doubled quotes and line ends.
package final class CSVRecords {
    package struct Record {
        /// Where it begins, from 1.
        var line: Int
        var cells: Result<[String], RowProblem>
    }

    package let file: InputFile
    private var line = 0

    package init(_ file: InputFile) { self.file = file }

    package func next() throws(KithError) -> Record? {
        while let first = try file.line(limit: Limits.importLineBytes) {
            line += 1
            let start = line
            var text = first.bytes
            var isCut = first.isCut
            if start == 1, text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
            if text.isEmpty { continue }
            // A record goes on as long as a quote is open: quotes come in pairs, doubled ones too.
            var isOpen = text.count { $0 == UInt8(ascii: "\"") } % 2 == 1
            while isOpen, !isCut, let more = try file.line(limit: Limits.importLineBytes - text.count) {
                line += 1
                text.append(UInt8(ascii: "\n"))
                text.append(contentsOf: more.bytes)
                isCut = more.isCut
                if more.bytes.count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 1 { isOpen.toggle() }
            }
            if isCut {
                return Record(line: start, cells: .failure(RowProblem("is longer than \(Limits.importLineBytes) bytes")))
            }
            if isOpen { return Record(line: start, cells: .failure(RowProblem("a quote does not end"))) }
            return Record(line: start, cells: Result { () throws(RowProblem) in try CSVRecords.cells(text) })
        }
        return nil
    }

    package static func cells(_ text: [UInt8]) throws(RowProblem) -> [String] {
        var cells: [String] = []
        var place = 0
        while true {
            var cell: [UInt8] = []
            if place < text.count, text[place] == UInt8(ascii: "\"") {
                place += 1
                while place < text.count {
                    if text[place] == UInt8(ascii: "\"") {
                        place += 1
                        guard place < text.count, text[place] == UInt8(ascii: "\"") else { break }
                    }
                    cell.append(text[place])
                    place += 1
                }
                guard place == text.count || text[place] == UInt8(ascii: ",") else {
                    throw RowProblem("text follows a quote at byte \(place + 1)")
                }
            } else {
                while place < text.count, text[place] != UInt8(ascii: ",") {
                    cell.append(text[place])
                    place += 1
                }
            }
            guard let string = String(validating: cell, as: UTF8.self) else { throw RowProblem("is not UTF-8") }
            cells.append(string)
            if place == text.count { return cells }
            place += 1
        }
    }
}
