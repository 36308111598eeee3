import KithCore
import Testing

@Suite struct ByteCodingTests {
    @Test func whatIsWrittenIsReadBack() throws {
        var bytes: [UInt8] = []
        let numbers: [UInt64] = [0, 1, 127, 128, 16_383, 16_384, .max]
        for number in numbers { bytes.appendVarint(number) }
        bytes.appendLittleEndian(UInt32(0x0102_0304))
        bytes.appendBigEndian(UInt16(0x0506))
        bytes.appendSized("naïve")
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            let read = try numbers.map { _ in try reader.varint() }
            let little = try reader.littleEndian(UInt32.self)
            let big = try reader.take(2).bigEndian(at: 0, as: UInt16.self)
            let text = try reader.text()
            #expect(read == numbers && little == 0x0102_0304 && big == 0x0506 && text == "naïve")
            #expect(reader.isAtEnd)
        }
    }

    @Test func readingPastTheEndIsCorruption() {
        let endings: [[UInt8]] = [[], [0x80], [5, 1, 2], Array(repeating: 0xFF, count: 12)]
        for bytes in endings {
            bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                #expect(throws: KithError.self) { try reader.sized() }
            }
        }
    }

    @Test func checksumsOfPiecesAndOfTheWholeAgree() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var pieces = StreamingChecksum()
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: 777) {
                pieces.update(UnsafeRawBufferPointer(rebasing: all[start..<min(start + 777, all.count)]))
            }
            #expect(pieces.value == checksum64(all))
        }
        // XXH3 of nothing, as published.
        #expect(checksum64(UnsafeRawBufferPointer(start: nil, count: 0)) == 0x2D06_8005_38D3_94C2)
    }
}
