import Glibc
import KithCore

/// How rows lie in segment files, as the file `segments` beside them says once and for ever.
struct SegmentLayout: Equatable {
    let stride: Int
    let vectorBytes: Int
    let rowsPerSegment: Int

    var segmentBytes: Int { rowsPerSegment * stride }

    /// As many rows as make a segment of about `segmentBytes` that ends where a row and a page end.
    init(stride: Int, vectorBytes: Int, segmentBytes: Int) {
        self.stride = stride
        self.vectorBytes = vectorBytes
        let rowsPerUnit = fileAlignment / greatestCommonDivisor(fileAlignment, stride)
        rowsPerSegment = max(1, segmentBytes / (rowsPerUnit * stride)) * rowsPerUnit
    }

    // MARK: The file

    private static let magic: [UInt8] = Array("KITHSEGM".utf8)
    private static let version: UInt32 = 1

    /// Magic, version, stride, bytes of a vector, rows of a segment, checksum; little-endian.
    func write(to path: String) throws(KithError) {
        var bytes = Self.magic
        bytes.appendLittleEndian(Self.version)
        for field in [stride, vectorBytes, rowsPerSegment] { bytes.appendLittleEndian(UInt32(field)) }
        bytes.appendLittleEndian(bytes.withUnsafeBytes(checksum64))
        try File.replace(path) { file throws(KithError) in
            try bytes.withBytes { bytes throws(KithError) in try file.write(bytes, at: 0) }
        }
    }

    init(readingFrom path: String) throws(KithError) {
        let file = try File(path, O_RDONLY)
        let size = Self.magic.count + 4 * 4 + 8
        guard try file.size() == size else { throw KithError.corrupt(path, "is not \(size) bytes long") }
        let fields = try file.bytes(count: size).withBytes { bytes throws(KithError) -> [Int] in
            guard bytes.starts(with: Self.magic) else { throw KithError.corrupt(path, "is not a description of segments") }
            let sum: UInt64 = bytes.littleEndian(at: size - 8)
            guard sum == checksum64(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8))) else {
                throw KithError.corrupt(path, "has a wrong checksum")
            }
            return (0..<4).map { Int(bytes.littleEndian(at: Self.magic.count + 4 * $0, as: UInt32.self)) }
        }
        guard fields[0] == Self.version else { throw KithError.corrupt(path, "has the unknown version \(fields[0])") }
        (stride, vectorBytes, rowsPerSegment) = (fields[1], fields[2], fields[3])
        guard stride > 0, rowsPerSegment > 0, segmentBytes % fileAlignment == 0 else {
            throw KithError.corrupt(path, "describes segments that cannot be mapped")
        }
    }
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
    second == 0 ? first : greatestCommonDivisor(second, first % second)
}
