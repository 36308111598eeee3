internal import CVectorKernels
public import KithCore

/// The sign of every component, compared by counting those that differ. No parameters.
///
/// After a random rotation, the share of signs that differ is on average the angle between two vectors over pi (Charikar, 2002).
public struct BinaryMaker: CodebookMaker {
    public init() {}

    public var kind: String { "binary" }
    public var parameterNames: [String] { [] }

    public func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) {}

    public func rescore(_ parameters: QuantizerParameters) throws(KithError) -> Int { 20 }

    public func rotation(_ parameters: QuantizerParameters) -> RotationKind { .random }

    public func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook {
        SignCodebook(width: sample.width)
    }

    public func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook { SignCodebook(width: width) }
}
