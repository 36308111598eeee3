internal import CVectorKernels
internal import KithCore

/// The kernels that arithmetic on float32 vectors borrows from distances.
enum FloatKernels {
    static let dot = kernel(KITH_DOT)
    static let l2 = kernel(KITH_L2)

    private static func kernel(_ metric: Int) -> kith_kernel {
        guard let kernel = kith_kernel_for(UInt8(KITH_FLOAT32), UInt8(metric)) else {
            preconditionFailure("float32 has dot and l2")
        }
        return kernel.pointee
    }
}

@inline(__always)
func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    -FloatKernels.dot.distance(a, b, count, 1)
}

extension [UInt8] {
    mutating func appendFloats(_ values: [Float]) {
        appendVarint(UInt64(values.count))
        for value in values { appendLittleEndian(value.bitPattern) }
    }
}

extension ByteReader {
    /// Exactly `count` finite numbers.
    ///
    /// - Throws: `CORRUPTION` when there are more or fewer, or one is infinite or NaN.
    mutating func floats(_ count: Int) throws(KithError) -> [Float] {
        guard try varint() == UInt64(count) else {
            throw KithError(.dataLoss, .corruption, "a stored list has not the \(count) numbers it must have")
        }
        let bytes = try take(4 * count)
        var values: [Float] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            let value = Float(bitPattern: bytes.littleEndian(at: 4 * index))
            guard value.isFinite else { throw KithError(.dataLoss, .corruption, "a stored number is infinite or NaN") }
            values.append(value)
        }
        return values
    }
}
