import Glibc
package import KithCore

/// What a command prints: answers on standard output, everything else on standard error.
package enum Console {
    /// One line of the answer.
    package static func print(_ line: String) { write(1, line + "\n") }

    /// One line for the person at the terminal.
    package static func note(_ line: String) { write(2, line + "\n") }

    private static func write(_ descriptor: Int32, _ text: String) {
        // Where nobody reads any more there is nobody to tell either.
        do throws(KithError) { try writeAll(descriptor, text, "the terminal") } catch { return }
    }

    /// All of `text`, to a file that messages call `path`.
    package static func writeAll(_ descriptor: Int32, _ text: String, _ path: String) throws(KithError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Files.system("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Text as it is, without a line end.
    package static func printText(_ text: String) { write(1, text) }
    package static func noteText(_ text: String) { write(2, text) }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}

/// Columns of text, as wide as their widest cell.
package struct Table {
    package var header: [String]
    package var rows: [[String]] = []
    /// Columns of numbers.
    package var rightAligned: Set<Int>

    package init(header: [String], rightAligned: Set<Int> = []) {
        self.header = header
        self.rightAligned = rightAligned
    }

    var lines: [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                rightAligned.contains(column) ? padLeft(cell, widths[column]) : pad(cell, widths[column])
            }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
    }

    package func printAll() { for line in lines { Console.print(line) } }
}
