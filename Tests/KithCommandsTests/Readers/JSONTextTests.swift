import KithCommands
import Testing

@Suite struct JSONTextTests {
    private func slice(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
    private func text(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }

    @Test func membersKeepTheirText() throws {
        let members = try JSONText.members(slice(#" { "a" : 1.50 , "b\n":{"x":[1,{"y":"}"}]}, "c":"\"," , "d":null } "#))
        #expect(members.map(\.key) == ["a", "b\n", "c", "d"])
        #expect(members.map { text($0.value) } == ["1.50", #"{"x":[1,{"y":"}"}]}"#, #""\",""#, "null"])
    }

    @Test func elementsKeepTheirText() throws {
        #expect(try JSONText.elements(slice(#"[{"a":[1,2]}, "x", []]"#)).map(text) == [#"{"a":[1,2]}"#, #""x""#, "[]"])
        #expect(try JSONText.elements(slice("[]")).isEmpty)
    }

    @Test(arguments: [
        "", " ", "x", "[1]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":1}}",
        "{\"a\":1} x",
        "{\"a\":}", "{\"a\":]}", "{\"a\":\"x}", "{\"a\":\"\\\"}", "{,}", "{\"a\":[1}", "{\"a\":\"\\u12\"",
    ])
    func malformedObjectsAreRefused(_ malformed: String) {
        #expect(throws: RowProblem.self) { try JSONText.members(slice(malformed)) }
    }

    @Test(arguments: [
        "[1,]", "[nan]", "[1 2]", "[\"1\"]", "[[1]]", "[null]", "[0x10]", "[+1]", "[1e999]", "[--1]", "[-]", "[1.e]",
        "[Infinity]",
    ])
    func onlyNumbersAreNumbers(_ malformed: String) {
        #expect(throws: RowProblem.self) { try JSONText.numbers(slice(malformed)) }
    }

    @Test func problemsSayWhere() {
        #expect(throws: RowProblem("malformed JSON at column 9: ',' or the end is missing")) {
            try JSONText.members(slice(#"{"a": 1 2}"#))
        }
    }
}
