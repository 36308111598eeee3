import KithCore

/// Vectors as models make them: clusters of a low-dimensional world, seen through many components, with a little noise.
///
/// Independent components would have no near neighbours to find, and make every graph look bad.
struct ClusteredVectors {
    private static let latentDimension = 24
    private static let clusterCount = 256
    /// Spread inside a cluster, when the spread between clusters is 1.
    private static let spread: Float = 0.6
    private static let noise: Float = 0.1

    private let space: VectorSpace
    private var random: SeededRandom
    /// A row a latent dimension.
    private var projection: [Float] = []
    /// A row a cluster.
    private var centers: [Float] = []
    private var components: [Float]
    private var latent = [Float](repeating: 0, count: ClusteredVectors.latentDimension)

    init(_ space: VectorSpace, seed: UInt64 = 1) {
        self.space = space
        random = SeededRandom(seed)
        components = [Float](repeating: 0, count: space.dimension)
        let scale = 1 / Float(ClusteredVectors.latentDimension).squareRoot()
        for _ in 0..<ClusteredVectors.latentDimension * space.dimension { projection.append(random.normal() * scale) }
        for _ in 0..<ClusteredVectors.clusterCount * ClusteredVectors.latentDimension { centers.append(random.normal()) }
    }

    /// The next vectors of the stream.
    mutating func take(_ count: Int) throws(KithError) -> VectorSet {
        let set = try VectorSet(space, count: count)
        for index in 0..<count {
            fill()
            try components.withUnsafeBufferPointer { (buffer) throws(KithError) in
                if let start = buffer.baseAddress { try set.set(index, start) }
            }
        }
        return set
    }

    private mutating func fill() {
        let cluster = Int(random.next() % UInt64(ClusteredVectors.clusterCount)) * latent.count
        for index in latent.indices { latent[index] = centers[cluster + index] + ClusteredVectors.spread * random.normal() }
        for index in components.indices { components[index] = (random.uniform() - 0.5) * ClusteredVectors.noise }
        for (number, weight) in latent.enumerated() {
            let row = number * components.count
            for index in components.indices { components[index] += weight * projection[row + index] }
        }
        for index in components.indices { components[index] = ClusteredVectors.fit(components[index], space.element) }
    }

    /// The component, moved to where the element type can hold it.
    private static func fit(_ value: Float, _ element: ElementType) -> Float {
        switch element {
        case .float32, .float16, .bfloat16: value
        case .int8: min(max((value * 32).rounded(), -128), 127)
        case .uint8: min(max((128 + value * 32).rounded(), 0), 255)
        case .binary: value > 0 ? 1 : 0
        }
    }
}
