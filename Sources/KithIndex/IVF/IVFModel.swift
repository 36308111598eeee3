internal import CVectorKernels
internal import KithCore

/// What is learned from vectors: where they are put, and how they are coded. Never changed; a retrained one takes its place.
final class IVFModel: Sendable {
    let frame: CodeFrame
    /// Nil: lists hold slots alone.
    let quantizer: Quantizer?
    /// In the frame, `frame.width` numbers each.
    let centres: [Float]
    /// The mean squared distance of vectors to their centres when it was learned.
    let error: Float
    /// Vectors there were.
    let vectors: UInt32

    var listCount: Int { centres.count / frame.width }
    var width: Int { frame.width }

    /// The model as bytes, kept for checkpoints.
    let bytes: OwnedBytes

    init(frame: CodeFrame, quantizer: Quantizer?, centres: [Float], error: Float, vectors: UInt32) {
        self.frame = frame
        self.quantizer = quantizer
        self.centres = centres
        self.error = error
        self.vectors = vectors
        var bytes: [UInt8] = []
        if let quantizer {
            let own = quantizer.serialized()
            own.withUnsafeBytes { bytes.appendSized($0) }
        } else {
            frame.serialize(into: &bytes)
        }
        bytes.appendLittleEndian(UInt32(centres.count / frame.width))
        bytes.appendFloats(centres)
        bytes.appendFloats([error])
        bytes.appendLittleEndian(vectors)
        self.bytes = OwnedBytes(bytes)
    }

    /// - Throws: `CORRUPTION` when the bytes are not what a model of this definition wrote.
    convenience init(
        _ bytes: UnsafeRawBufferPointer, _ space: VectorSpace, _ parameters: IVFParameters, _ registry: QuantizerRegistry
    ) throws(KithError) {
        var reader = ByteReader(bytes)
        var quantizer: Quantizer?
        let frame: CodeFrame
        if let (kind, _) = parameters.quantizer {
            let restored = try registry.restore(try reader.sized(), space)
            guard restored.kind == kind else { throw IVFState.corrupt("its quantizer is of another kind") }
            quantizer = restored
            frame = restored.frame
        } else {
            frame = try CodeFrame(space, &reader)
        }
        let lists = Int(try reader.littleEndian(UInt32.self))
        guard (1...Limits.invertedLists).contains(lists) else { throw IVFState.corrupt("it has \(lists) lists") }
        let centres = try reader.floats(lists * frame.width)
        let error = try reader.floats(1)[0]
        let vectors = try reader.littleEndian(UInt32.self)
        guard reader.isAtEnd, error >= 0 else { throw IVFState.corrupt("its model has another length") }
        self.init(frame: frame, quantizer: quantizer, centres: centres, error: error, vectors: vectors)
    }

    /// Bytes that a model can take: what a checkpoint's region must hold.
    static func byteLimit(_ space: VectorSpace) -> Int {
        let width = CodeFrame.width(space.dimension)
        let matrices = 8 * min(width, Limits.learnedMatrixDimension) * min(width, Limits.learnedMatrixDimension)
        return min(4 * width * (Limits.invertedLists + 1_024) + matrices + (1 << 20), Limits.regionBytes)
    }
}
