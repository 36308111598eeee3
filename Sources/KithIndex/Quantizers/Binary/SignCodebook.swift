internal import CVectorKernels
internal import Foundation
internal import KithCore

/// A bit a component, of the codes and of the query: set where it is not negative.
final class SignCodebook: Codebook, @unchecked Sendable {
    let width: Int
    /// By differing bits, the expected inner product of unit vectors, over that of a unit vector and its own signs: what makes the
    /// quantizer's factor of a code, |z|^2 / <signs, z>, its length.
    private let products: UnsafeMutablePointer<Float>

    init(width: Int) {
        self.width = width
        products = .allocate(capacity: width + 1)
        // <signs, z> of a random unit vector z is about sqrt(2 * width / pi).
        let ownProduct = (2 * Float(width) / .pi).squareRoot()
        for differing in 0...width { products[differing] = ownProduct * cos(.pi * Float(differing) / Float(width)) }
    }

    deinit { products.deallocate() }

    var payloadBytes: Int { width / 8 }
    var kernel: kith_code_kernel { codeKernel(KITH_CODES_SIGNS) }
    var hasBlocks: Bool { false }
    var hasErrorBound: Bool { false }

    func encode(
        _ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>
    ) {
        SignCodebook.signs(residual, width, into: payload)
        for index in 0..<width { decoded[index] = residual[index] >= 0 ? 1 : -1 }
    }

    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery) {
        let memory = query.room(width / 8)
        SignCodebook.signs(placed, width, into: memory)
        query.query.data = UnsafeRawPointer(memory)
        query.query.table = UnsafePointer(products)
        query.query.count = width
        query.query.unit = dot(placed, placed, width).squareRoot()
    }

    private static func signs(_ values: UnsafePointer<Float>, _ width: Int, into out: UnsafeMutableRawPointer) {
        for first in stride(from: 0, to: width, by: 8) {
            var byte: UInt8 = 0
            for bit in 0..<8 where values[first + bit] >= 0 { byte |= 1 << UInt8(bit) }
            out.storeBytes(of: byte, toByteOffset: first / 8, as: UInt8.self)
        }
    }

    func serialize(into bytes: inout [UInt8]) {}
}
