import KithCommands
import KithCore
import Testing

@Suite struct ArgumentsTests {
    private func parse(_ words: String...) throws(KithError) -> Arguments {
        try Arguments(words, of: ImportCommand.description)
    }

    @Test func tellsOptionsFromOperands() throws {
        let arguments = try parse(
            "--collection", "c", "a.csv", "--create", "--errors=bad=1.txt", "--index-parameter", "m=8", "--index-parameter=x=1")
        #expect(arguments.operands == ["a.csv"])
        #expect(arguments.value("collection") == "c")
        #expect(arguments.value("errors") == "bad=1.txt")
        #expect(arguments.flag("create"))
        #expect(!arguments.flag("restart"))
        #expect(arguments.all("index-parameter") == ["m=8", "x=1"])
        #expect(try parse("--", "--odd-name").operands == ["--odd-name"])
        #expect(try parse("-").operands == ["-"])
    }

    @Test(arguments: [
        ["f", "--unknown", "1"], ["f", "--collection"], ["f", "--create=yes"], ["f", "--collection", "a", "--collection", "b"],
        [],
        ["f", "g"],
    ])
    func wrongWordsAreUsageErrors(_ words: [String]) {
        let error = #expect(throws: KithError.self) { try Arguments(words, of: ImportCommand.description) }
        #expect(error.map(ExitCode.of) == ExitCode.usage)
    }

    @Test func valuesAreChecked() throws {
        let arguments = try parse("f", "--shards", "65", "--metric", "far")
        #expect(throws: KithError.self) { try arguments.number("shards", 1...64) }
        #expect(try arguments.number("shards", 1...65) == 65)
        #expect(throws: KithError.self) { try arguments.choice("metric", [("near", 1)]) }
        #expect(throws: KithError.self) { try arguments.required("collection") }
    }
}
