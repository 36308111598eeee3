public import KithCore

/// Quantizers as bytes and back: magic, format version, checksum, then what they are. Nothing read back is believed before it is checked.
extension Quantizer {
    static let magic: UInt32 = 0x5A4E_514B  // "KQNZ"
    /// Raised when the layout changes.
    static let format: UInt32 = 1

    /// All that `QuantizerRegistry.restore` needs.
    public func serialized() -> [UInt8] {
        var body: [UInt8] = []
        body.appendSized(kind)
        body.appendLittleEndian(version)
        body.append(frame.element.rawValue)
        body.append(frame.metric.rawValue)
        body.appendLittleEndian(UInt32(frame.dimension))
        frame.serialize(into: &body)
        codebook.serialize(into: &body)
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(Quantizer.magic)
        bytes.appendLittleEndian(Quantizer.format)
        bytes.appendLittleEndian(body.withUnsafeBytes { checksum64($0) })
        return bytes + body
    }

    fileprivate static func corrupt(_ description: String) -> KithError {
        KithError(.dataLoss, .corruption, "a stored quantizer is damaged: \(description)")
    }
}

extension QuantizerRegistry {
    /// - Throws: `CORRUPTION` when the bytes are damaged, of another format, or of a quantizer for other vectors.
    public func restore(_ bytes: UnsafeRawBufferPointer, _ space: VectorSpace) throws(KithError) -> Quantizer {
        var reader = ByteReader(bytes)
        guard try reader.littleEndian(UInt32.self) == Quantizer.magic else { throw Quantizer.corrupt("it does not begin as one") }
        let format = try reader.littleEndian(UInt32.self)
        guard format == Quantizer.format else { throw Quantizer.corrupt("its format is \(format), not \(Quantizer.format)") }
        let checksum = try reader.littleEndian(UInt64.self)
        guard checksum64(UnsafeRawBufferPointer(rebasing: bytes[reader.offset...])) == checksum else {
            throw Quantizer.corrupt("its checksum does not match")
        }
        let kind = try reader.text()
        let version = try reader.littleEndian(UInt64.self)
        guard let maker = restorer(kind) else { throw Quantizer.corrupt("its kind '\(kind)' is unknown") }
        guard try reader.byte() == space.element.rawValue, try reader.byte() == space.metric.rawValue,
            try reader.littleEndian(UInt32.self) == UInt32(space.dimension)
        else { throw Quantizer.corrupt("it is for other vectors") }
        let frame = try CodeFrame(space, &reader)
        let codebook = try maker.restore(&reader, width: frame.width)
        guard reader.isAtEnd else { throw Quantizer.corrupt("bytes follow its end") }
        return Quantizer(kind: kind, version: version, frame: frame, codebook: codebook)
    }
}
