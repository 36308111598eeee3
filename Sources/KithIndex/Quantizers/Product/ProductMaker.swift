public import KithCore

/// Product quantization, plain (`pq`) or with a learned rotation (`opq`). Parameters: `bits` of a part, 4 or 8 (4); `parts`, which must divide the
/// dimension rounded up to a multiple of 64 (half of it with 4 bits, an eighth with 8).
public struct ProductMaker: CodebookMaker {
    private let isRotated: Bool

    public init(rotated: Bool) { isRotated = rotated }

    public var kind: String { isRotated ? "opq" : "pq" }
    public var parameterNames: [String] { ["bits", "parts"] }

    private static let iterations = 12

    private func shape(_ parameters: QuantizerParameters, width: Int) throws(KithError) -> (parts: Int, bits: Int) {
        let bits = try parameters.choice("bits", ["4", "8"]) == "8" ? 8 : 4
        let parts = try parameters.number("parts", bits == 4 ? width / 2 : width / 8, in: 1...width)
        guard width % parts == 0 else {
            throw .invalidIndexParameter(
                parameters.prefix + "parts", "\(parts) does not divide \(width), the dimension rounded up to a multiple of 64")
        }
        return (parts, bits)
    }

    public func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) {
        _ = try shape(parameters, width: CodeFrame.width(space.dimension))
        guard !isRotated || space.dimension <= Limits.learnedMatrixDimension else {
            throw .invalidIndexParameter(
                parameters.prefix + "quantizer",
                "opq learns a rotation of at most \(Limits.learnedMatrixDimension) dimensions, not \(space.dimension)")
        }
    }

    public func rotation(_ parameters: QuantizerParameters) -> RotationKind { .identity }

    public func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook {
        let (parts, bits) = try shape(parameters, width: sample.width)
        var sample = sample
        if isRotated { rotation = .matrix(RotationLearner.learn(&sample, parts: parts, bits: bits)) }
        return ProductCodebook(learnedFrom: sample, parts: parts, bits: bits, iterations: ProductMaker.iterations)
    }

    public func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook {
        try ProductCodebook(&reader, width: width)
    }
}
