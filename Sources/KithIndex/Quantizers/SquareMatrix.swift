internal import KithCore

/// A small dense matrix, row by row; what learning rotations and transforms needs of linear algebra.
struct SquareMatrix {
    let size: Int
    var values: [Float]

    static func identity(_ size: Int) -> SquareMatrix {
        var values = [Float](repeating: 0, count: size * size)
        for index in 0..<size { values[index * size + index] = 1 }
        return SquareMatrix(size: size, values: values)
    }

    /// `a` times `b` transposed, both `rows` rows of `length`.
    static func product(_ a: [Float], _ b: [Float], rows: Int, length: Int) -> SquareMatrix {
        var out = [Float](repeating: 0, count: rows * rows)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                for row in 0..<rows {
                    for column in 0..<rows {
                        out[row * rows + column] = dot(a.baseAddress! + row * length, b.baseAddress! + column * length, length)
                    }
                }
            }
        }
        return SquareMatrix(size: rows, values: out)
    }

    var transposed: SquareMatrix {
        var out = values
        for row in 0..<size { for column in 0..<size { out[column * size + row] = values[row * size + column] } }
        return SquareMatrix(size: size, values: out)
    }

    func times(_ other: SquareMatrix) -> SquareMatrix {
        SquareMatrix.product(values, other.transposed.values, rows: size, length: size)
    }

    /// Multiplies each row of `size` numbers with the matrix.
    func turn(_ rows: inout [Float]) {
        let transform = LinearTransform(dimension: size, rows: values)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { spare in
            rows.withUnsafeMutableBufferPointer { rows in
                for first in stride(from: 0, to: rows.count, by: size) {
                    transform.apply(rows.baseAddress! + first, spare: spare.baseAddress!)
                }
            }
        }
    }

    /// The orthogonal matrix nearest to this one, by Newton and Schulz's iteration: X becomes (3 X - X X' X) / 2.
    func orthogonalPart() -> SquareMatrix {
        var norm: Float = 0
        for value in values { norm += value * value }
        guard norm > 0 else { return .identity(size) }
        // The greatest singular value must be below the square root of 3; by its Frobenius norm it is below 1.
        var current = SquareMatrix(size: size, values: values.map { $0 / norm.squareRoot() })
        for _ in 0..<SquareMatrix.iterations {
            let square = SquareMatrix.product(current.values, current.values, rows: size, length: size)
            var distance: Float = 0
            for row in 0..<size {
                for column in 0..<size {
                    distance = max(distance, abs(square.values[row * size + column] - (row == column ? 1 : 0)))
                }
            }
            if distance < 1e-5 { break }
            let cubed = square.times(current)
            for index in current.values.indices {
                current.values[index] = 1.5 * current.values[index] - 0.5 * cubed.values[index]
            }
        }
        return current
    }

    private static let iterations = 60
}
