internal import CVectorKernels
internal import KithCore

/// Turns vectors into codes of a fixed number of bytes, and queries into estimates of their distances to codes.
///
/// Trained once on a sample and never changed: what is trained anew is another quantizer, with a version of its own. Any number of threads may
/// use one at once, each with its own `CodeScratch` and `CodeQuery`.
///
/// For every kind the estimate follows RaBitQ (Gao and Long, arXiv 2405.12497): with z the vector less its centre and v what its payload stands
/// for, `<z, y>` is estimated by `<v, y> * |z|^2 / <v, z>`, which is exact for y = z, and for random rotations right on average for every y.
public final class Quantizer: Sendable {
    public let kind: String
    /// Counts trainings; the caller's to choose.
    public let version: UInt64
    /// Components of the frame in which codes and centres live.
    public var width: Int { frame.width }
    /// Factors, then payload.
    public let codeBytes: Int
    /// Bytes of 32 codes as one block; nil where the kind has no blocks.
    public let blockBytes: Int?
    public var hasErrorBound: Bool { codebook.hasErrorBound }
    /// How many standard deviations of the estimate `CodeQuery.error` answers; 1.9 as in the paper.
    public static let confidence: Float = 1.9

    let frame: CodeFrame
    let codebook: any Codebook
    let factors: Int

    init(kind: String, version: UInt64, frame: CodeFrame, codebook: any Codebook) {
        self.kind = kind
        self.version = version
        self.frame = frame
        self.codebook = codebook
        factors = codebook.hasErrorBound ? 3 : 2
        codeBytes = 4 * factors + codebook.payloadBytes
        blockBytes = codebook.hasBlocks ? Int(KITH_CODES_BLOCK) * codeBytes : nil
    }

    // MARK: Codes

    /// Writes the code of a stored vector.
    ///
    /// - Parameters:
    ///   - code: room for `codeBytes`.
    ///   - centre: what the vector is near, in the frame (`width` components); nil is the mean of the sample. Codes of one centre
    ///     need the query's bias for that centre; see `bias`.
    public func encode(
        _ vector: UnsafeRawPointer, into code: UnsafeMutableRawPointer, centre: UnsafePointer<Float>? = nil,
        _ scratch: CodeScratch
    ) {
        scratch.prepare(width)
        frame.place(vector, into: scratch.placed, spare: scratch.spare)
        encode(placed: scratch.placed, into: code, centre: centre, scratch)
    }

    /// The same for a vector that `place` has put into the frame.
    func encode(
        placed: UnsafePointer<Float>, into code: UnsafeMutableRawPointer, centre: UnsafePointer<Float>?, _ scratch: CodeScratch
    ) {
        let (residual, decoded) = (scratch.residual, scratch.decoded)
        for index in 0..<width { residual[index] = placed[index] - (centre?[index] ?? 0) }
        codebook.encode(residual, into: code + 4 * factors, decoded: decoded)

        let square = dot(residual, residual, width)
        let product = dot(decoded, residual, width)
        // A vector at its centre, or coded as its opposite: the centre stands for it.
        let scale = product > 0 && (square / product).isFinite ? square / product : 0
        let toCentre = centre.map { scale * dot(decoded, $0, width) } ?? 0
        let add: Float
        let factor: Float
        switch frame.metric {
        case .l2: (add, factor) = (square + 2 * toCentre, -2)
        case .cosine: (add, factor) = (square / 2 + toCentre, -1)
        default:
            let along = dot(frame.turnedMean, residual, width) + (centre.map { dot($0, residual, width) } ?? 0)
            (add, factor) = (toCentre - along, -1)
        }
        code.storeBytes(of: add.isFinite ? add : .greatestFiniteMagnitude, as: Float.self)
        code.storeBytes(of: factor * scale, toByteOffset: 4, as: Float.self)
        if factors == 3 {
            let decodedSquare = dot(decoded, decoded, width)
            let cosine = product > 0 ? product / (square * decodedSquare).squareRoot() : 0
            let error = abs(factor) * square.squareRoot() * Quantizer.relativeError(cosine: cosine, width: width)
            code.storeBytes(of: error.isFinite ? error : .greatestFiniteMagnitude, toByteOffset: 8, as: Float.self)
        }
    }

    /// The standard deviation of an estimate of an inner product with a unit vector, for a unit vector whose code makes this cosine with it
    /// (theorem 3.2 of the paper), and of the rounding of the query to 8 bits, of which no component of a rotated one exceeds five times its root mean square.
    private static func relativeError(cosine: Float, width: Int) -> Float {
        guard cosine > 0 else { return 1 }
        let inverse = 1 / (cosine * cosine)
        let rounding = 5 / 127 / Float(12).squareRoot()
        return (max(inverse - 1, 0) / Float(max(width - 1, 1)) + inverse * rounding * rounding / Float(width)).squareRoot()
    }

    /// Copies a code into a block, as number `index` of 32. Only where `blockBytes` is there.
    public func store(_ code: UnsafeRawPointer, inBlock block: UnsafeMutableRawPointer, at index: Int) {
        kith_codes_store_in_block(code, factors, codeBytes - 4 * factors, index, block)
    }

    // MARK: Queries

    /// Makes a query vector ready for codes whose centre is the mean.
    public func prepare(_ vector: UnsafeRawPointer, _ query: CodeQuery, _ scratch: CodeScratch) {
        scratch.prepare(width)
        let placed = query.place(width: width)
        frame.place(vector, into: placed, spare: scratch.spare)
        query.kernel = codebook.kernel
        query.query = kith_code_query()
        query.query.factors = factors
        query.query.unit = 1
        codebook.prepare(placed, query)
        aim(query, centre: nil, squareToCentre: dot(placed, placed, width))
    }

    /// Turns a prepared query to codes of another centre.
    ///
    /// - Parameter squareToCentre: the squared distance between `query.placed` and the centre.
    @inline(__always)
    func aim(_ query: CodeQuery, centre: UnsafePointer<Float>?, squareToCentre: Float) {
        query.errorScale = Quantizer.confidence * squareToCentre.squareRoot()
        switch frame.metric {
        case .l2: query.query.bias = squareToCentre
        case .cosine: query.query.bias = squareToCentre / 2
        default:
            // -<q, mean + centre>, with q = placed + mean.
            let placed = query.placed
            let toMean = frame.turnedMean.withUnsafeBufferPointer { mean in
                dot(placed, mean.baseAddress!, width) + dot(mean.baseAddress!, mean.baseAddress!, width)
            }
            let toCentre =
                centre.map { centre in
                    dot(placed, centre, width) + frame.turnedMean.withUnsafeBufferPointer { dot($0.baseAddress!, centre, width) }
                } ?? 0
            query.query.bias = -toMean - toCentre
        }
    }
}

/// Work memory of one thread that encodes or prepares.
public final class CodeScratch {
    private var memory: UnsafeMutablePointer<Float>
    private var width = 0

    var placed: UnsafeMutablePointer<Float> { memory }
    var spare: UnsafeMutablePointer<Float> { memory + width }
    var residual: UnsafeMutablePointer<Float> { memory + 2 * width }
    var decoded: UnsafeMutablePointer<Float> { memory + 3 * width }

    public init() { memory = .allocate(capacity: 4) }

    deinit { memory.deallocate() }

    func prepare(_ width: Int) {
        guard width > self.width else { return }
        memory.deallocate()
        memory = .allocate(capacity: 4 * width)
        self.width = width
    }
}
