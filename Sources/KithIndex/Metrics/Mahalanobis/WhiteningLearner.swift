internal import CVectorKernels
internal import KithCore

/// Learns the transform of the Mahalanobis distance from vectors: with their covariance C = L L' it is the inverse of L.
enum WhiteningLearner {
    /// Share of the mean variance that is added to each component's: directions without any would weigh infinitely.
    private static let ridge = 1e-3

    static func learn(_ rows: VectorRows, _ slots: [UInt32], _ space: VectorSpace) -> LinearTransform {
        let size = space.dimension
        var vectors = [Float](repeating: 0, count: slots.count * size)
        var mean = [Double](repeating: 0, count: size)
        vectors.withUnsafeMutableBufferPointer { vectors in
            for (index, slot) in slots.enumerated() {
                guard let place = vectors.baseAddress.map({ $0 + index * size }) else { continue }
                kith_vector_widen(space.element.rawValue, rows.row(slot), size, place)
                for component in 0..<size { mean[component] += Double(place[component]) / Double(slots.count) }
            }
        }
        var covariance = [Double](repeating: 0, count: size * size)
        var centred = [Double](repeating: 0, count: size)
        for index in 0..<slots.count {
            for component in 0..<size { centred[component] = Double(vectors[index * size + component]) - mean[component] }
            for row in 0..<size {
                for column in 0...row { covariance[row * size + column] += centred[row] * centred[column] / Double(slots.count) }
            }
        }
        var variance = 0.0
        for index in 0..<size { variance += covariance[index * size + index] / Double(size) }
        for index in 0..<size { covariance[index * size + index] += max(ridge * variance, 1e-12) }
        guard let lower = Cholesky.lower(covariance, size: size) else {
            return LinearTransform(dimension: size, rows: SquareMatrix.identity(size).values)
        }
        return LinearTransform(dimension: size, rows: Cholesky.inverse(lower, size: size).map { Float($0) })
    }
}
