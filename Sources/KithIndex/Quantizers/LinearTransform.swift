internal import KithCore

/// A square matrix that vectors are multiplied with before they are compared.
public struct LinearTransform: Sendable, Equatable {
    public let dimension: Int
    /// Row by row.
    public let rows: [Float]

    public init(dimension: Int, rows: [Float]) {
        precondition(rows.count == dimension * dimension)
        self.dimension = dimension
        self.rows = rows
    }

    /// In place. `spare` has room for `dimension` numbers.
    func apply(_ values: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>) {
        rows.withUnsafeBufferPointer { rows in
            for row in 0..<dimension { spare[row] = dot(rows.baseAddress! + row * dimension, values, dimension) }
        }
        values.update(from: spare, count: dimension)
    }

    func serialize(into bytes: inout [UInt8]) { bytes.appendFloats(rows) }

    init(_ reader: inout ByteReader, dimension: Int) throws(KithError) {
        self.init(dimension: dimension, rows: try reader.floats(dimension * dimension))
    }
}
