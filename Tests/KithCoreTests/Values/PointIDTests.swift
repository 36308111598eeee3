import KithCore
import Testing

@Suite struct PointIDTests {
    private static let ordered: [PointID] = [
        .number(0), .number(1), .number(256), .number(.max),
        .uuid(.init(high: 0, low: 1)), .uuid(.init(high: 1, low: 0)), .uuid(.init(high: .max, low: .max)),
        .string(""), .string("a"), .string("a\0"), .string("ab"), .string("é"),
    ]

    @Test func bytesAndBackAgain() {
        for id in PointIDTests.ordered { #expect(id.encoded.withUnsafeBytes { PointID(encoded: $0) } == id) }
    }

    @Test func byteOrderIsIDOrder() {
        for (left, right) in zip(PointIDTests.ordered, PointIDTests.ordered.dropFirst()) {
            #expect(left.encoded.lexicographicallyPrecedes(right.encoded))
        }
    }

    @Test(arguments: [[], [0], [1], [1, 2, 3], [2, 0, 0, 0, 0, 0, 0, 0, 0], [9, 9]] as [[UInt8]])
    func otherBytesAreNoID(bytes: [UInt8]) {
        #expect(bytes.withUnsafeBytes { PointID(encoded: $0) } == nil)
    }

    @Test func aUUIDReadsAsUsual() {
        let id = PointID.uuid(.init(high: 0x0123_4567_89AB_CDEF, low: 0x0000_4567_89AB_CDEF))
        #expect(id.description == "01234567-89ab-cdef-0000-456789abcdef")
    }
}
