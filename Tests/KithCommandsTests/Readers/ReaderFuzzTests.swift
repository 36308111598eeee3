import KithCommands
import KithCore
import TestSupport
import Testing

/// Files of strangers: a damaged one gives rows, bad rows or an error, and always ends.
@Suite struct ReaderFuzzTests {
    private static let rows = 40

    @Test func damagedJSONLinesEnd() throws {
        let example = (0..<ReaderFuzzTests.rows).map { #"{"id":\#($0),"vector":[0.5,-1e3,2],"payload":{"word":"sea\u00e9"}}"# }
        try fuzz(example.joined(separator: "\n"), seed: 21) { path throws(KithError) in
            try JSONLReader(path, names: FieldNames())
        }
    }

    @Test func damagedTablesEnd() throws {
        let example = ["id,word,vector"] + (0..<ReaderFuzzTests.rows).map { #"\#($0),"a ""word""","[1,2,3]""# }
        try fuzz(example.joined(separator: "\n"), seed: 22) { path throws(KithError) in
            try CSVReader(path, idColumn: "id", vector: nil)
        }
    }

    private func fuzz<Reader: RowReader>(
        _ example: String, seed: UInt64, _ open: (String) throws(KithError) -> Reader
    ) throws {
        try Fuzzing.run(rounds: 300, seed: seed) { generator in
            let damaged = Fuzzing.mutated(Array(example.utf8), &generator)
            let file = try SampleFile(damaged)
            defer { withExtendedLifetime(file) {} }
            var count = 0
            do throws(KithError) {
                let reader = try open(file.path)
                while try reader.next() != nil { count += 1 }
            } catch {
                #expect(error.code == .invalidArgument || error.code == .failedPrecondition, "\(error)")
            }
            #expect(count <= damaged.count)
        }
    }
}
