package import KithCore

/// CSV as RFC 4180 has it, with a header: a column of ids, columns or one JSON array of components, and the payload in the rest.
package final class CSVReader: RowReader {
    /// Which columns make the vector.
    package enum VectorColumns {
        /// A JSON array in each cell.
        case array(String)
        /// One component a column: names, or a name with `*` at its end.
        case components([String])
    }

    private let records: CSVRecords
    private let skip: Int
    private let header: [String]
    private let idColumn: Int
    private let vectorColumns: [Int]
    private let isArray: Bool

    package init(_ path: String, idColumn: String, vector: VectorColumns?, skip: Int = 0) throws(KithError) {
        records = CSVRecords(try InputFile(path))
        self.skip = skip
        guard let first = try records.next() else { throw .usage("\(path) is empty: a CSV file begins with a header") }
        let header: [String]
        do throws(RowProblem) { header = try first.cells.get() } catch { throw .usage("\(path): the header: \(error.reason)") }
        func column(_ name: String) throws(KithError) -> Int {
            guard let column = header.firstIndex(of: name) else {
                throw .usage("\(path) has no column '\(name)', it has \(header.joined(separator: ", "))", key: name)
            }
            return column
        }
        self.header = header
        self.idColumn = try column(idColumn)
        switch vector {
        case nil:
            vectorColumns = []
            isArray = false
        case .array(let name):
            vectorColumns = [try column(name)]
            isArray = true
        case .components(let names):
            var columns: [Int] = []
            for name in names {
                guard name.hasSuffix("*") else {
                    columns.append(try column(name))
                    continue
                }
                let found = header.indices.filter { header[$0].hasPrefix(name.dropLast()) }
                if found.isEmpty { throw .usage("\(path) has no columns '\(name)'", key: name) }
                columns += found
            }
            vectorColumns = columns
            isArray = false
        }
    }

    package var bytesRead: Int { records.file.offset }
    package var bytesTotal: Int? { records.file.size }

    package func next() throws(KithError) -> Row? {
        while let record = try records.next() {
            if record.line <= skip { continue }
            do throws(RowProblem) {
                return Row(number: record.line, point: .success(try point(try record.cells.get())))
            } catch { return Row(number: record.line, point: .failure(error)) }
        }
        return nil
    }

    private func point(_ cells: [String]) throws(RowProblem) -> RowPoint {
        guard cells.count == header.count else {
            throw RowProblem("has \(cells.count) cells, the header has \(header.count)")
        }
        guard !cells[idColumn].isEmpty else { throw RowProblem("the id is empty") }
        var point = RowPoint(id: PointText.id(cells[idColumn]))
        if isArray {
            let cell = Array(cells[vectorColumns[0]].utf8)
            if !cell.isEmpty { point.vectors = [RowVector(components: .numbers(try JSONText.numbers(cell[...])))] }
        } else if !vectorColumns.isEmpty {
            var numbers: [Float] = []
            for column in vectorColumns { numbers.append(try DecimalNumber.float(Array(cells[column].utf8)[...])) }
            point.vectors = [RowVector(components: .numbers(numbers))]
        }
        let taken = Set(vectorColumns + [idColumn])
        let members = header.indices.filter { !taken.contains($0) && !cells[$0].isEmpty }.map {
            "\(PointText.quoted(header[$0])):\(CSVReader.json(cells[$0]))"
        }
        if !members.isEmpty { point.payload = "{\(members.joined(separator: ","))}" }
        return point
    }

    /// Numbers and truth values as such, all else as text. A number that would read differently back, such as 007, is text.
    package static func json(_ cell: String) -> String {
        if cell == "true" || cell == "false" { return cell }
        if let number = Int64(cell), String(number) == cell { return cell }
        let bytes = Array(cell.utf8)
        let unsigned = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        let leadsWithZero = unsigned.first == UInt8(ascii: "0") && unsigned.dropFirst().first != UInt8(ascii: ".")
        if cell.contains("."), unsigned.first != UInt8(ascii: "."), unsigned.last != UInt8(ascii: "."), !leadsWithZero,
            unsigned.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: ".") }),
            Double(cell) != nil
        {
            return cell
        }
        return PointText.quoted(cell)
    }
}
