import Glibc
import KithCore

/// What a command prints: answers on standard output, everything else on standard error.
enum Console {
    /// One line of the answer.
    static func print(_ line: String) { write(1, line + "\n") }

    /// One line for the person at the terminal.
    static func note(_ line: String) { write(2, line + "\n") }

    private static func write(_ descriptor: Int32, _ text: String) {
        // Where nobody reads any more there is nobody to tell either.
        do throws(KithError) { try writeAll(descriptor, text, "the terminal") } catch { return }
    }

    /// All of `text`, to a file that messages call `path`.
    static func writeAll(_ descriptor: Int32, _ text: String, _ path: String) throws(KithError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Files.system("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Text as it is, without a line end.
    static func printText(_ text: String) { write(1, text) }
    static func noteText(_ text: String) { write(2, text) }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}

/// Columns of text, as wide as their widest cell.
struct Table {
    var header: [String]
    var rows: [[String]] = []
    /// Columns of numbers.
    var rightAligned: Set<Int> = []

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

    func printAll() { for line in lines { Console.print(line) } }
}
