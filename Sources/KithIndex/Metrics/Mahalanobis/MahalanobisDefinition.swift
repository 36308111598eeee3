internal import Foundation
internal import KithCore

/// The parameter `mahalanobis`: `learned`, or the matrix M of sqrt((x - y)' M (x - y)), base64 of its float32 rows.
///
/// M is the inverse of a covariance: symmetric and positive definite. With M = L L' the distance is the Euclidean one of vectors multiplied with L'.
struct MahalanobisDefinition: Sendable {
    static let parameter = "mahalanobis"

    /// Nil where it is to be learned.
    let transform: LinearTransform?

    /// - Throws: `INVALID_INDEX_PARAMETER` when the text is no such matrix, or the space is not one of floats compared by l2.
    init(_ text: String, _ space: VectorSpace) throws(KithError) {
        func refused(_ description: String) -> KithError { .invalidIndexParameter(MahalanobisDefinition.parameter, description) }
        guard space.metric == .l2, space.element != .binary else { throw refused("needs metric l2, and numbers") }
        let dimension = space.dimension
        guard dimension <= Limits.learnedMatrixDimension else {
            throw refused("takes at most \(Limits.learnedMatrixDimension) dimensions, not \(dimension)")
        }
        if text == "learned" {
            transform = nil
            return
        }
        guard let data = Data(base64Encoded: text), data.count == 4 * dimension * dimension else {
            throw refused("is neither 'learned' nor the base64 of \(dimension) x \(dimension) float32")
        }
        let values = data.withUnsafeBytes { bytes in
            (0..<dimension * dimension).map { Float(bitPattern: bytes.littleEndian(at: 4 * $0)) }
        }
        guard values.allSatisfy(\.isFinite) else { throw refused("holds numbers that are infinite or NaN") }
        for row in 0..<dimension {
            for column in 0..<row {
                let (one, other) = (values[row * dimension + column], values[column * dimension + row])
                guard abs(one - other) <= 1e-4 * max(abs(one), abs(other)) else { throw refused("is not symmetric") }
            }
        }
        guard let lower = Cholesky.lower(values.map(Double.init), size: dimension) else {
            throw refused("is not positive definite")
        }
        transform = LinearTransform(dimension: dimension, rows: Cholesky.transposed(lower, size: dimension).map { Float($0) })
    }

    /// The space of transformed vectors: float32, without the parameter.
    func innerSpace(_ space: VectorSpace) -> VectorSpace {
        var inner = space
        inner.element = .float32
        return inner
    }
}

/// The factor L of a symmetric positive definite matrix, L L'.
enum Cholesky {
    /// Lower triangle, row by row; nil when the matrix is not positive definite. O(size^3).
    static func lower(_ matrix: [Double], size: Int) -> [Double]? {
        var lower = [Double](repeating: 0, count: size * size)
        for row in 0..<size {
            for column in 0...row {
                var sum = matrix[row * size + column]
                for index in 0..<column { sum -= lower[row * size + index] * lower[column * size + index] }
                if row == column {
                    guard sum > 0, sum.isFinite else { return nil }
                    lower[row * size + row] = sum.squareRoot()
                } else {
                    lower[row * size + column] = sum / lower[column * size + column]
                }
            }
        }
        return lower
    }

    static func transposed(_ matrix: [Double], size: Int) -> [Double] {
        var out = matrix
        for row in 0..<size { for column in 0..<size { out[column * size + row] = matrix[row * size + column] } }
        return out
    }

    /// The inverse of a lower triangle.
    static func inverse(_ lower: [Double], size: Int) -> [Double] {
        var out = [Double](repeating: 0, count: size * size)
        for column in 0..<size {
            for row in column..<size {
                var sum = row == column ? 1.0 : 0
                for index in column..<row { sum -= lower[row * size + index] * out[index * size + column] }
                out[row * size + column] = sum / lower[row * size + row]
            }
        }
        return out
    }
}
