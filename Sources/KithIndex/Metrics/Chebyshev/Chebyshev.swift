internal import CVectorKernels
internal import KithCore

extension CustomMetric {
    /// The greatest difference of a component.
    public static let chebyshev = CustomMetric(name: "chebyshev", elements: [.float32]) { query, row, dimension, _ in
        let (query, row) = (query.assumingMemoryBound(to: Float.self), row.assumingMemoryBound(to: Float.self))
        var greatest: Float = 0
        for index in 0..<dimension { greatest = max(greatest, abs(query[index] - row[index])) }
        return greatest
    }
}
