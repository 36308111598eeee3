import CJSON
import Testing

@Suite struct JSONTests {
    private func check(_ text: [UInt8], depth: Int = 32) -> (KithJSONStatus, Int) {
        var offset = 0
        let status = kith_json_check_object(text, text.count, depth, &offset)
        return (status, offset)
    }

    private func check(_ text: String, depth: Int = 32) -> KithJSONStatus {
        check(Array(text.utf8), depth: depth).0
    }

    private typealias Combine = (
        UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>,
        UnsafeMutablePointer<Int>
    ) -> KithJSONStatus

    private func combine(_ function: Combine, _ first: String, _ second: String) -> (status: KithJSONStatus, text: String) {
        var out: UnsafeMutablePointer<UInt8>?
        var size = 0
        let status = function(Array(first.utf8), first.utf8.count, Array(second.utf8), second.utf8.count, &out, &size)
        defer { kith_json_free(out) }
        return (status, String(decoding: UnsafeBufferPointer(start: out, count: size), as: UTF8.self))
    }

    @Test func objectsAreTold() {
        #expect(check(#"{}"#) == KITH_JSON_OK)
        #expect(check(#" {"a":[1,-2.5e3,null,true,"é😀\u0000"],"b":{}} "#) == KITH_JSON_OK)
        for text in ["[]", "1", #""a""#, "null", "true", "[{}]"] {
            #expect(check(text) == KITH_JSON_NOT_OBJECT, "\(text)")
        }
        for text in [
            "", "{", #"{"a"}"#, #"{"a":1,}"#, #"{"a":01}"#, "{} {}", #"{"a":NaN}"#, #"{'a':1}"#, "{\"a\":\"\n\"}", "\u{FEFF}{}",
        ] {
            #expect(check(text) == KITH_JSON_MALFORMED, "\(text)")
        }
        #expect(check(Array(#"{"a":"#.utf8) + [0x22, 0xC3, 0x28, 0x22, 0x7D]).0 == KITH_JSON_MALFORMED)
    }

    @Test func malformedTextsSayWhere() {
        let (status, offset) = check(Array(#"{"a":x}"#.utf8))
        #expect(status == KITH_JSON_MALFORMED)
        #expect(offset == 5)
    }

    @Test func depthIsCountedFromTheOutermostObject() {
        #expect(check(#"{"a":[[1]]}"#, depth: 3) == KITH_JSON_OK)
        #expect(check(#"{"a":[[1]]}"#, depth: 2) == KITH_JSON_TOO_DEEP)
        #expect(check(#"{"a":[],"b":[],"c":[]}"#, depth: 2) == KITH_JSON_OK)
    }

    @Test func depthBombsAreRefusedEverywhere() {
        let bomb = String(repeating: #"{"a":"#, count: 1_000_000)
        let array = #"{"a":"# + String(repeating: "[", count: 1_000_000)
        for text in [bomb, array] {
            #expect(check(text) == KITH_JSON_TOO_DEEP)
            #expect(combine(kith_json_merge, "{}", text).status == KITH_JSON_TOO_DEEP)
            #expect(combine(kith_json_set, text, "{}").status == KITH_JSON_TOO_DEEP)
            #expect(combine(kith_json_changed_keys, text, text).status == KITH_JSON_TOO_DEEP)
        }
    }

    /// The table of RFC 7396, appendix A, where both sides are objects.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
        (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#),
        ("", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func mergeFollowsTheStandard(target: String, patch: String, result: String) {
        #expect(combine(kith_json_merge, target, patch) == (KITH_JSON_OK, result))
    }

    @Test func setReplacesWholeValuesAndKeepsNulls() {
        #expect(
            combine(kith_json_set, #"{"b":{"x":1},"a":1}"#, #"{"b":{"y":2},"c":null}"#)
                == (KITH_JSON_OK, #"{"a":1,"b":{"y":2},"c":null}"#))
    }

    @Test func integersKeepTheirValue() {
        let text = #"{"a":18446744073709551615,"b":-9223372036854775808}"#
        #expect(combine(kith_json_set, text, "{}") == (KITH_JSON_OK, text))
    }

    @Test func keysAreRemoved() {
        let target = Array(#"{"a":1,"b":2,"c":{"a":3}}"#.utf8)
        let keys = ["a", "missing"].map { Array($0.utf8) }
        var out: UnsafeMutablePointer<UInt8>?
        var size = 0
        keys[0].withUnsafeBufferPointer { first in
            keys[1].withUnsafeBufferPointer { second in
                let pointers = [first.baseAddress, second.baseAddress].compactMap(\.self)
                #expect(
                    kith_json_remove_keys(target, target.count, pointers, [first.count, second.count], 2, &out, &size)
                        == KITH_JSON_OK)
            }
        }
        defer { kith_json_free(out) }
        #expect(String(decoding: UnsafeBufferPointer(start: out, count: size), as: UTF8.self) == #"{"b":2,"c":{"a":3}}"#)
    }

    @Test func changedKeysAreSorted() {
        #expect(
            combine(kith_json_changed_keys, #"{"z":1,"same":[1],"a":1}"#, #"{"same":[1],"a":2,"m":null}"#)
                == (KITH_JSON_OK, #"["a","m","z"]"#))
        #expect(combine(kith_json_changed_keys, "", "") == (KITH_JSON_OK, "[]"))
    }

    @Test func wrongInputsMakeNothing() {
        for text in ["[1]", "{", "\"a\""] {
            let result = combine(kith_json_merge, "{}", text)
            #expect(result.status != KITH_JSON_OK)
            #expect(result.text.isEmpty)
        }
    }
}
