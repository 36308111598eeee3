import KithCore

/// The start of a checkpoint file: what it holds, and where.
///
/// Magic, version, length of the header, checksum of all that follows up to that length; then attributes and sections.
/// Sections follow in the order listed. Header and sections are zero-padded to `fileAlignment`, and checksums cover the
/// padding: no bit of the file can change unnoticed.
struct CheckpointHeader {
    struct Section {
        var name: String
        var byteCount: Int
        var checksum: UInt64

        var paddedCount: Int { byteCount.roundedUp(to: fileAlignment) }
    }

    var attributes: [String: UInt64]
    var sections: [Section]

    static let magic: [UInt8] = Array("KITHCKPT".utf8)
    static let version: UInt32 = 1
    /// Magic, version, length, checksum.
    static let prefixBytes = 24

    /// The offset of a section, given the length of the header.
    func offset(ofSection index: Int, headerBytes: Int) -> Int {
        sections[..<index].reduce(headerBytes) { $0 + $1.paddedCount }
    }

    /// The padded bytes. Their number does not depend on the checksums.
    func encoded(path: String) throws(KithError) -> [UInt8] {
        var body: [UInt8] = []
        body.appendVarint(UInt64(attributes.count))
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            body.appendSized(name)
            body.appendLittleEndian(value)
        }
        body.appendVarint(UInt64(sections.count))
        for section in sections {
            body.appendSized(section.name)
            body.appendLittleEndian(UInt64(section.byteCount))
            body.appendLittleEndian(section.checksum)
        }
        let length = (Self.prefixBytes + body.count).roundedUp(to: fileAlignment)
        guard length <= Limits.checkpointHeaderBytes else {
            throw KithError.limit(field: path, value: length, limit: Limits.checkpointHeaderBytes, unit: "bytes of header")
        }
        body.append(contentsOf: repeatElement(0, count: length - Self.prefixBytes - body.count))
        var bytes = Self.magic
        bytes.appendLittleEndian(Self.version)
        bytes.appendLittleEndian(UInt32(length))
        bytes.appendLittleEndian(body.withUnsafeBytes(checksum64))
        return bytes + body
    }

    /// The length of the header, from the first `prefixBytes` bytes of a file.
    static func length(prefix: UnsafeRawBufferPointer, path: String) throws(KithError) -> Int {
        guard prefix.starts(with: magic) else { throw KithError.corrupt(path, "is not a checkpoint") }
        let version: UInt32 = prefix.littleEndian(at: 8)
        guard version == Self.version else { throw KithError.corrupt(path, "has the unknown version \(version)") }
        let length = Int(prefix.littleEndian(at: 12, as: UInt32.self))
        guard length > 0, length <= Limits.checkpointHeaderBytes, length % fileAlignment == 0 else {
            throw KithError.corrupt(path, "claims a header of \(length) bytes")
        }
        return length
    }

    init(attributes: [String: UInt64], sections: [Section]) {
        self.attributes = attributes
        self.sections = sections
    }

    /// Reads a whole header.
    init(decoding bytes: UnsafeRawBufferPointer, path: String) throws(KithError) {
        let body = UnsafeRawBufferPointer(rebasing: bytes[Self.prefixBytes...])
        guard bytes.littleEndian(at: 16, as: UInt64.self) == checksum64(body) else {
            throw KithError.corrupt(path, "has a wrong checksum of its header")
        }
        var reader = ByteReader(body)
        attributes = [:]
        for _ in 0..<(try reader.varint()) {
            attributes[try reader.text()] = try reader.littleEndian()
        }
        sections = []
        for _ in 0..<(try reader.varint()) {
            let name = try reader.text()
            let byteCount = try reader.littleEndian(UInt64.self)
            guard byteCount <= Limits.regionBytes else {
                throw KithError.corrupt(path, "claims \(byteCount) bytes of \(name)")
            }
            sections.append(Section(name: name, byteCount: Int(byteCount), checksum: try reader.littleEndian()))
        }
    }
}
