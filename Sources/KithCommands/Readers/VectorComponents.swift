package import KithCore

/// Components of vectors from one element type to another, as files have them and vector spaces want them.
package enum VectorComponents {
    /// Little-endian components as numbers. Bits of binary vectors come lowest first.
    package static func floats(_ bytes: [UInt8], _ element: ElementType) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            switch element {
            case .float32: each(bytes, UInt32.self) { Float(bitPattern: $0) }
            case .float16: each(bytes, UInt16.self) { Float(Float16(bitPattern: $0)) }
            case .bfloat16: each(bytes, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
            case .int8: each(bytes, Int8.self) { Float($0) }
            case .uint8: each(bytes, UInt8.self) { Float($0) }
            case .binary: bytes.flatMap { byte in (0..<8).map { byte >> $0 & 1 == 1 ? 1 : 0 } }
            }
        }
    }

    private static func each<Stored: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ type: Stored.Type, _ convert: (Stored) -> Float
    ) -> [Float] {
        let size = MemoryLayout<Stored>.size
        return (0..<bytes.count / size).map { convert(bytes.littleEndian(at: $0 * size)) }
    }

    /// Numbers as little-endian components. Floating-point types round, the others take only what they can hold.
    package static func bytes(_ values: [Float], as element: ElementType) throws(RowProblem) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(element.byteCount(dimension: values.count))
        switch element {
        case .float32: for value in values { bytes.appendLittleEndian(value.bitPattern) }
        case .float16:
            for value in values {
                let half = Float16(value)
                guard half.isFinite || !value.isFinite else { throw RowProblem("\(value) is too large for float16") }
                bytes.appendLittleEndian(half.bitPattern)
            }
        case .bfloat16: for value in values { bytes.appendLittleEndian(bfloat16(value)) }
        case .int8: for value in values { bytes.append(UInt8(bitPattern: try whole(value, Int8.self))) }
        case .uint8: for value in values { bytes.append(try whole(value, UInt8.self)) }
        case .binary:
            bytes = [UInt8](repeating: 0, count: element.byteCount(dimension: values.count))
            for (place, value) in values.enumerated() {
                guard value == 0 || value == 1 else { throw RowProblem("\(value) is no bit") }
                if value == 1 { bytes[place / 8] |= 1 << (place % 8) }
            }
        }
        return bytes
    }

    private static func whole<Stored: FixedWidthInteger>(_ value: Float, _ type: Stored.Type) throws(RowProblem) -> Stored {
        guard let stored = Stored(exactly: value) else { throw RowProblem("\(value) is no \(type)".lowercased()) }
        return stored
    }

    /// Rounds to nearest, ties to even.
    private static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        guard !value.isNaN else { return UInt16(bits >> 16) | 1 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}
