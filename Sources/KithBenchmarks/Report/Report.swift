import Foundation
import KithCore
import Synchronization

/// What was measured, for the screen and for a file.
final class Report: Sendable {
    private struct Content: Encodable {
        var command: [String]
        var machine: Machine
        var results: [ResultTable] = []
    }
    private let content: Mutex<Content>

    init(command: [String]) {
        let machine = Machine()
        Console.print(machine.line)
        content = Mutex(Content(command: command, machine: machine))
    }

    /// Shows the table and keeps it.
    func add(_ table: ResultTable) {
        Console.print("\n\(table.title)")
        for line in table.lines { Console.print(line) }
        content.withLock { $0.results.append(table) }
    }

    func write(to path: String) throws(KithError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data: Data
        do { data = try content.withLock { try encoder.encode($0) } } catch {
            throw .failed("the results cannot be written as JSON: \(error)")
        }
        try Files.write(data + Data("\n".utf8), to: path)
    }
}
