import Foundation
import KithCommands
package import KithCore

/// The files of a journal, by name.
package struct JournalFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var head: String { "\(path)/head.json" }
    package var anchor: String { "\(path)/anchor.json" }

    package func segment(_ number: Int) -> String {
        let digits = String(number)
        return "\(path)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).journal"
    }

    /// Numbers of the segments that are there, in order.
    package func segments() throws(KithError) -> [Int] {
        try DurableFiles.names(in: path).compactMap { name in
            name.hasSuffix(".journal") ? Int(name.dropLast(".journal".count)) : nil
        }.sorted()
    }

    /// Visits the lines of a segment without their ends; stops where `visit` answers false. Never holds more than one line and a block.
    ///
    /// - Parameter limit: bytes of the segment that count; all where nil.
    /// - Returns: bytes of a last line that has no end.
    @discardableResult
    package func lines(
        of number: Int, limit: Int? = nil, _ visit: (_ line: ArraySlice<UInt8>, _ number: Int) throws(KithError) -> Bool
    ) throws(KithError) -> Int {
        let path = segment(number)
        guard let file = FileHandle(forReadingAtPath: path) else { throw Files.system("open", path) }
        var rest: [UInt8] = []
        var line = 0
        var left = limit ?? Int.max
        while left > 0 {
            let block: Data
            do { block = try file.read(upToCount: min(1 << 20, left)) ?? Data() } catch { throw Files.system("read", path) }
            if block.isEmpty { break }
            left -= block.count
            rest += block
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                line += 1
                if try !visit(rest[start..<end], line) { return 0 }
                start = end + 1
            }
            rest.removeSubrange(..<start)
            guard rest.count <= Limits.journalLineBytes else {
                throw KithError(
                    .dataLoss, .corruption, "\(path) line \(line + 1) is longer than \(Limits.journalLineBytes) bytes",
                    metadata: ["path": path])
            }
        }
        return rest.count
    }
}
