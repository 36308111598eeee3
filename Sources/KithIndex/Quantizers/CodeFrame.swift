internal import CVectorKernels
internal import KithCore

/// From a stored vector to the float32 components that are coded: widened, transformed (Mahalanobis), normalised for cosine, less the
/// mean of the sample, padded and rotated.
///
/// All metrics become squared distances and inner products there: that of cosine is half the squared distance.
struct CodeFrame: Sendable {
    let element: ElementType
    let metric: Metric
    let dimension: Int
    /// Components in the frame: the dimension, rounded up to whole groups.
    let width: Int
    /// Applied to every vector before anything else.
    let transform: LinearTransform?
    /// In the frame, before the rotation.
    var mean: [Float]
    var rotation: Rotation
    /// The mean after the rotation.
    private(set) var turnedMean: [Float] = []

    init(_ space: VectorSpace, transform: LinearTransform?, mean: [Float], rotation: Rotation) {
        element = space.element
        metric = space.metric
        dimension = space.dimension
        width = CodeFrame.width(space.dimension)
        self.transform = transform
        self.mean = mean
        self.rotation = rotation
        turnMean()
    }

    static func width(_ dimension: Int) -> Int {
        let group = Int(KITH_CODES_GROUP)
        return (dimension + group - 1) / group * group
    }

    mutating func turnMean() {
        turnedMean = mean
        let spare = UnsafeMutablePointer<Float>.allocate(capacity: width)
        defer { spare.deallocate() }
        let (rotation, width) = (rotation, width)
        turnedMean.withUnsafeMutableBufferPointer { rotation.apply($0.baseAddress!, width: width, spare: spare) }
    }

    /// Writes the vector's `width` components; `spare` has room for as many.
    func place(_ vector: UnsafeRawPointer, into out: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>) {
        standardize(vector, into: out, spare: spare)
        mean.withUnsafeBufferPointer { mean in for index in 0..<dimension { out[index] -= mean[index] } }
        rotation.apply(out, width: width, spare: spare)
    }

    /// The vector before the mean is taken off and it is rotated.
    func standardize(_ vector: UnsafeRawPointer, into out: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>) {
        kith_vector_widen(element.rawValue, vector, dimension, out)
        for index in dimension..<width { out[index] = 0 }
        transform?.apply(out, spare: spare)
        if metric == .cosine {
            let scale = kith_query_scale(UInt8(KITH_FLOAT32), UInt8(KITH_COSINE), out, dimension)
            for index in 0..<dimension { out[index] *= scale }
        }
    }

    func serialize(into bytes: inout [UInt8]) {
        bytes.append(transform == nil ? 0 : 1)
        transform?.serialize(into: &bytes)
        bytes.appendFloats(mean)
        rotation.serialize(into: &bytes)
    }

    init(_ space: VectorSpace, _ reader: inout ByteReader) throws(KithError) {
        let hasTransform = try reader.byte()
        guard hasTransform <= 1 else { throw KithError(.dataLoss, .corruption, "a quantizer's transform is of no known kind") }
        let transform = hasTransform == 1 ? try LinearTransform(&reader, dimension: space.dimension) : nil
        let width = CodeFrame.width(space.dimension)
        let mean = try reader.floats(width)
        self.init(space, transform: transform, mean: mean, rotation: try Rotation(&reader, width: width))
    }
}
