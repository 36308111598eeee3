package import KithCore

/// JSON Lines: an object a line. Empty lines are passed over.
package final class JSONLReader: RowReader {
    private let file: InputFile
    private let fields: RowFields
    private var number = 0
    private let skip: Int

    /// - Parameter skip: rows up to this number are passed over unread.
    package init(_ path: String, names: FieldNames, skip: Int = 0) throws(KithError) {
        file = try InputFile(path)
        fields = RowFields(names: names)
        self.skip = skip
    }

    package var bytesRead: Int { file.offset }
    package var bytesTotal: Int? { file.size }

    package func next() throws(KithError) -> Row? {
        while let line = try file.line(limit: Limits.importLineBytes) {
            number += 1
            if number <= skip || line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            do throws(RowProblem) {
                if line.isCut { throw RowProblem("the line is longer than \(Limits.importLineBytes) bytes") }
                return Row(number: number, point: .success(try fields.point(line.bytes[...])))
            } catch { return Row(number: number, point: .failure(error)) }
        }
        return nil
    }
}
