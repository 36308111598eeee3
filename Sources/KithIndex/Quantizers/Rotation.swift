internal import CVectorKernels
internal import KithCore

/// Which rotation a kind of quantizer wants.
public enum RotationKind: Sendable {
    /// None.
    case identity
    /// A random one: directions become equally likely, whatever the data.
    case random
}

/// A change of axes that keeps lengths and angles.
public enum Rotation: Sendable {
    case identity
    /// Four rounds of random signs and a Hadamard transform, of the first and the last components in turn where their number is
    /// no power of two. O(width * log width), no matrix.
    case random(signs: [Float])
    /// A learned one, row by row: `width` * `width` numbers.
    case matrix([Float])

    private static let rounds = 4

    static func random(width: Int, seed: UInt64) -> Rotation {
        var signs: [Float] = []
        signs.reserveCapacity(rounds * width)
        for index in 0..<UInt64(rounds * width) { signs.append(mixBits(seed &+ index) & 1 == 0 ? 1 : -1) }
        return .random(signs: signs)
    }

    /// Turns `width` components in place. `spare` has room for as many.
    func apply(_ values: UnsafeMutablePointer<Float>, width: Int, spare: UnsafeMutablePointer<Float>) {
        switch self {
        case .identity: break
        case .random(let signs):
            let part = 1 << (Int.bitWidth - 1 - width.leadingZeroBitCount)
            signs.withUnsafeBufferPointer { signs in
                for round in 0..<Rotation.rounds {
                    for index in 0..<width { values[index] *= signs[round * width + index] }
                    kith_hadamard(values + (round % 2 == 0 ? 0 : width - part), part)
                }
            }
        case .matrix(let rows):
            rows.withUnsafeBufferPointer { rows in
                for row in 0..<width { spare[row] = dot(rows.baseAddress! + row * width, values, width) }
            }
            values.update(from: spare, count: width)
        }
    }

    func serialize(into bytes: inout [UInt8]) {
        switch self {
        case .identity: bytes.append(0)
        case .random(let signs):
            bytes.append(1)
            bytes.appendFloats(signs)
        case .matrix(let rows):
            bytes.append(2)
            bytes.appendFloats(rows)
        }
    }

    init(_ reader: inout ByteReader, width: Int) throws(KithError) {
        switch try reader.byte() {
        case 0: self = .identity
        case 1: self = .random(signs: try reader.floats(Rotation.rounds * width))
        case 2: self = .matrix(try reader.floats(width * width))
        default: throw KithError(.dataLoss, .corruption, "a quantizer's rotation is of no known kind")
        }
    }
}
