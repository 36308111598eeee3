internal import KithCore

/// The rotation that makes product quantization lose least: Ge and others, "Optimized Product Quantization", TPAMI 2014, without a model of the data.
///
/// Codes and rotation are improved in turn; for given codes the best rotation is the orthogonal part of their correlation with the vectors.
enum RotationLearner {
    private static let rounds = 8
    private static let iterationsPerRound = 4
    /// Rows that the rotation is learned from, at most.
    private static let rows = 4_096

    /// The rotation, row by row. Turns the sample by it.
    static func learn(_ sample: inout TrainingSample, parts: Int, bits: Int) -> [Float] {
        let width = sample.width
        var rotation = SquareMatrix.identity(width)
        var learning = TrainingSample(
            values: Array(sample.values.prefix(rows * width)), count: min(sample.count, rows), width: width)
        for _ in 0..<rounds {
            let codebook = ProductCodebook(learnedFrom: learning, parts: parts, bits: bits, iterations: iterationsPerRound)
            let turn = correlation(learning, codebook).orthogonalPart()
            turn.turn(&learning.values)
            rotation = turn.times(rotation)
        }
        rotation.turn(&sample.values)
        return rotation.values
    }

    /// The sum over rows of decoded row times row, transposed; a little of the identity keeps directions in place that codes say nothing of.
    private static func correlation(_ sample: TrainingSample, _ codebook: ProductCodebook) -> SquareMatrix {
        let width = sample.width
        var decoded = [Float](repeating: 0, count: sample.values.count)
        var payload = [UInt8](repeating: 0, count: codebook.payloadBytes)
        sample.values.withUnsafeBufferPointer { rows in
            decoded.withUnsafeMutableBufferPointer { decoded in
                for row in 0..<sample.count {
                    codebook.encode(rows.baseAddress! + row * width, into: &payload, decoded: decoded.baseAddress! + row * width)
                }
            }
        }
        var sum = SquareMatrix.product(
            transposed(decoded, rows: sample.count, columns: width),
            transposed(sample.values, rows: sample.count, columns: width),
            rows: width, length: sample.count)
        var trace: Float = 0
        for index in 0..<width { trace += sum.values[index * width + index] }
        for index in 0..<width { sum.values[index * width + index] += max(trace, 1e-20) / Float(width) / 100 }
        return sum
    }

    private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        var out = [Float](repeating: 0, count: values.count)
        for row in 0..<rows { for column in 0..<columns { out[column * rows + row] = values[row * columns + column] } }
        return out
    }
}
