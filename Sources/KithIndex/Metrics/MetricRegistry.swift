public import CVectorKernels
public import KithCore

/// A metric beyond those of the API, which a definition names in the index parameter `metric`.
///
/// The space's own metric still says how a distance becomes the score that clients see (see `Metric.score`), and what codes estimate before full
/// vectors are compared; `l1` leaves distances as they are.
public struct CustomMetric: @unchecked Sendable {
    public let name: String
    /// Element types that it compares.
    public let elements: Set<ElementType>
    /// Null when too many have been made.
    let kernel: UnsafePointer<kith_kernel>?

    /// - Parameter distance: compares a query and a row of `dimension` components; smaller is nearer, never NaN. `scale` is for cosine's use.
    public init(name: String, elements: Set<ElementType>, distance: kith_distance_function) {
        self.name = name
        self.elements = elements
        kernel = kith_kernel_custom(distance)
    }
}

/// Metrics by name. A new one is one folder and one line in `builtIn`.
public struct MetricRegistry: Sendable {
    private var metrics: [String: CustomMetric] = [:]

    public init(_ metrics: [CustomMetric]) {
        for metric in metrics { self.metrics[metric.name] = metric }
    }

    /// What Kith ships.
    public static let builtIn = MetricRegistry([.chebyshev])

    /// - Throws: `INVALID_INDEX_PARAMETER` for a name that is not there, or vectors it does not compare.
    public func metric(_ name: String, for space: VectorSpace) throws(KithError) -> CustomMetric {
        guard let metric = metrics[name] else {
            throw .invalidIndexParameter("metric", "'\(name)' is none of \(metrics.keys.sorted().joined(separator: ", "))")
        }
        guard metric.elements.contains(space.element) else {
            throw .invalidIndexParameter("metric", "\(name) does not compare \(space.element) vectors")
        }
        guard metric.kernel != nil else {
            throw .invalidIndexParameter("metric", "\(name) is one more than the \(KITH_CUSTOM_KERNELS) there is room for")
        }
        return metric
    }
}
