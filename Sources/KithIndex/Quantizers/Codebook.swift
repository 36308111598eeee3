public import CVectorKernels
public import KithCore

/// How a quantizer writes the direction of a vector as bits, and reads it back: the part in which kinds differ.
///
/// Vectors come as residuals in the quantizer's frame (less a centre, rotated where the kind wants it), `width` float32 each.
public protocol Codebook: Sendable {
    /// Bytes of a payload.
    var payloadBytes: Int { get }

    /// Which kernel reads it.
    var kernel: kith_code_kernel { get }

    /// Whether `kernel.blocks` reads blocks of it.
    var hasBlocks: Bool { get }

    /// Whether an estimate's error is known, because directions are random ones: a third factor is kept.
    var hasErrorBound: Bool { get }

    /// Writes a payload, and into `decoded` the vector it stands for, up to a factor that the quantizer finds.
    func encode(
        _ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>)

    /// Fills in what the kernel needs beyond bias and factors, so that `product` is the inner product of `placed` and what was decoded.
    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery)

    /// Everything `restore` of the maker needs.
    func serialize(into bytes: inout [UInt8])
}

/// Makes codebooks of one kind: what `QuantizerRegistry` holds.
public protocol CodebookMaker: Sendable {
    /// The name under which indexes ask for it.
    var kind: String { get }

    /// The parameters it knows.
    var parameterNames: [String] { get }

    /// - Throws: `INVALID_INDEX_PARAMETER` for a value out of range, or a metric it cannot estimate.
    func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError)

    /// Candidates to compare in full for each wanted result, where nobody says how many: the coarser the estimate, the more.
    func rescore(_ parameters: QuantizerParameters) throws(KithError) -> Int

    /// How vectors are turned before they are written.
    func rotation(_ parameters: QuantizerParameters) -> RotationKind

    /// Learns from residuals, `count` rows of `width` components; the rotation may be replaced by a learned one.
    func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook

    /// - Throws: `CORRUPTION` when the bytes are not what `serialize` wrote.
    func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook
}

extension CodebookMaker {
    public func rescore(_ parameters: QuantizerParameters) throws(KithError) -> Int { 10 }
}

/// Vectors to learn from, in a quantizer's frame.
public struct TrainingSample {
    public var values: [Float]
    public let count: Int
    public let width: Int

    public init(values: [Float], count: Int, width: Int) {
        self.values = values
        self.count = count
        self.width = width
    }
}

/// A quantizer's parameters as text, with checks.
public struct QuantizerParameters: Sendable {
    public let texts: [String: String]
    /// Before every name in errors: what the index calls them.
    public let prefix: String

    public init(_ texts: [String: String], prefix: String = "") {
        self.texts = texts
        self.prefix = prefix
    }

    /// A whole number in range, or the default.
    public func number(_ name: String, _ standard: Int, in range: ClosedRange<Int>) throws(KithError) -> Int {
        guard let text = texts[name] else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw .invalidIndexParameter(
                prefix + name, "'\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// One of some words, or the first.
    public func choice(_ name: String, _ words: [String]) throws(KithError) -> String {
        guard let text = texts[name] else { return words[0] }
        guard words.contains(text) else {
            throw .invalidIndexParameter(prefix + name, "'\(text)' is none of \(words.joined(separator: ", "))")
        }
        return text
    }
}
