import KithAPI
import KithCommands
import KithCore
import Testing

@Suite struct PointTextTests {
    @Test func idsAreToldApart() {
        #expect(PointText.id("17") == .number(17))
        #expect(PointText.id("017") == .string("017"))
        #expect(PointText.id("-1") == .string("-1"))
        #expect(PointText.id("18446744073709551616") == .string("18446744073709551616"))
        let uuid = PointText.id("6E8BC430-9C3A-11D9-9669-0800200C9A66")
        #expect(uuid.description == "6e8bc430-9c3a-11d9-9669-0800200c9a66")
        #expect(PointText.id(uuid) == "\"6e8bc430-9c3a-11d9-9669-0800200c9a66\"")
    }

    @Test func textIsQuoted() {
        #expect(PointText.quoted("a\"b\\c\n\u{1}é") == #""a\"b\\c\n\u0001é""#)
    }

    @Test func componentsReadBack() {
        let values: [Float] = [1, -0.1, 3.5e-20]
        #expect(PointText.components(ClientVector(.floats(values)), of: .float32) == "[1,-0.1,3.5e-20]")
        #expect(PointText.components(ClientVector(.bytes([1, 255], .int8)), of: .float32) == "[1,-1]")
        #expect(PointText.components(ClientVector(.bytes([5], nil)), of: .binary) == "\"BQ==\"")
    }
}
