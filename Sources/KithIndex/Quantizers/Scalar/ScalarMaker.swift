public import KithCore

/// A whole number a component. Parameters: `bits`, 8 or 4 (8); `scale`: `vector`, a step of each vector's own, as LVQ (Aguerrebere and others,
/// arXiv 2304.04759), or `global`, an interval of each component's own, the same for all vectors (`vector`).
public struct ScalarMaker: CodebookMaker {
    public init() {}

    public var kind: String { "scalar" }
    public var parameterNames: [String] { ["bits", "scale"] }

    private func isGlobal(_ parameters: QuantizerParameters) throws(KithError) -> Bool {
        try parameters.choice("scale", ["vector", "global"]) == "global"
    }

    private func bits(_ parameters: QuantizerParameters) throws(KithError) -> Int {
        try parameters.choice("bits", ["8", "4"]) == "8" ? 8 : 4
    }

    public func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) {
        _ = try bits(parameters)
        _ = try isGlobal(parameters)
    }

    public func rescore(_ parameters: QuantizerParameters) throws(KithError) -> Int { try bits(parameters) == 8 ? 2 : 4 }

    public func rotation(_ parameters: QuantizerParameters) -> RotationKind { .identity }

    public func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook {
        let bits = try bits(parameters)
        return try isGlobal(parameters)
            ? IntervalCodebook(learnedFrom: sample, bits: bits)
            : UniformCodebook(width: sample.width, bits: bits, step: .fullRange)
    }

    public func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook {
        // The other kind begins with its bits.
        var ahead = reader
        guard try ahead.byte() == ScalarMaker.globalMark else { return try UniformCodebook(&reader, width: width) }
        reader = ahead
        return try IntervalCodebook(&reader, width: width)
    }

    static let globalMark: UInt8 = 0xFF
}
