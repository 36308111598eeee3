public import KithCore

/// RaBitQ: Gao and Long, arXiv 2405.12497, and with more bits Gao and others, arXiv 2409.09913. Parameter: `bits`, 1 to 8 (1).
///
/// After a random rotation every direction is as likely as any other, so that the estimate is right on average for every data set, with a
/// known error, and nothing but the mean is learned.
public struct RaBitQMaker: CodebookMaker {
    public init() {}

    public var kind: String { "rabitq" }
    public var parameterNames: [String] { ["bits"] }

    private func bits(_ parameters: QuantizerParameters) throws(KithError) -> Int { try parameters.number("bits", 1, in: 1...8) }

    public func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) { _ = try bits(parameters) }

    public func rescore(_ parameters: QuantizerParameters) throws(KithError) -> Int {
        [20, 8, 4, 3, 2, 2, 2, 2][try bits(parameters) - 1]
    }

    public func rotation(_ parameters: QuantizerParameters) -> RotationKind { .random }

    public func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook {
        UniformCodebook(width: sample.width, bits: try bits(parameters), step: .nearestDirection)
    }

    public func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook {
        try UniformCodebook(&reader, width: width)
    }
}
