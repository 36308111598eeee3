public import KithCore

/// Quantizers by name. A new kind is one folder and one line in `builtIn`; inverted lists of its codes are then a kind of index.
public struct QuantizerRegistry: Sendable {
    private var makers: [String: any CodebookMaker] = [:]

    public init(_ makers: [any CodebookMaker]) {
        for maker in makers { self.makers[maker.kind] = maker }
    }

    /// What Kith ships.
    public static let builtIn = QuantizerRegistry([
        RaBitQMaker(), ScalarMaker(), ProductMaker(rotated: false), ProductMaker(rotated: true), BinaryMaker(),
    ])

    /// The kinds that exist, in order of name.
    public var kinds: [String] { makers.keys.sorted() }

    func restorer(_ kind: String) -> (any CodebookMaker)? { makers[kind] }

    /// - Throws: `INVALID_INDEX_PARAMETER`, naming the kinds there are.
    func maker(_ kind: String, _ parameters: QuantizerParameters) throws(KithError) -> any CodebookMaker {
        guard let maker = makers[kind] else {
            throw .invalidIndexParameter(
                parameters.prefix + "quantizer", "'\(kind)' is none of \(kinds.joined(separator: ", "))")
        }
        return maker
    }

    /// Checks the parameters for a quantizer before anything is made.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` for unknown names, values out of range, and vectors that have no codes.
    public func check(_ kind: String, _ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) {
        let maker = try maker(kind, parameters)
        for name in parameters.texts.keys.sorted() where !maker.parameterNames.contains(name) {
            throw .invalidIndexParameter(
                parameters.prefix + name, "quantizer \(kind) knows only \(maker.parameterNames.joined(separator: ", "))")
        }
        guard [.cosine, .dot, .l2].contains(space.metric) else {
            throw .invalidIndexParameter(
                parameters.prefix + "quantizer", "\(kind) estimates cosine, dot and l2, not \(space.metric)")
        }
        try maker.check(parameters, space)
    }

    /// Learns a quantizer from rows of the space. O(rows) for most kinds.
    ///
    /// - Parameters:
    ///   - slots: the rows to learn from, at least one; `Limits.quantizerSample` are enough for every kind.
    ///   - version: for the quantizer to carry.
    ///   - transform: applied to all vectors first.
    public func train(
        _ kind: String, _ parameters: QuantizerParameters, _ space: VectorSpace, rows: VectorRows, slots: [UInt32],
        version: UInt64 = 1, transform: LinearTransform? = nil
    ) throws(KithError) -> Quantizer {
        try check(kind, parameters, space)
        let frame = try frame(kind, parameters, space, rows: rows, slots: slots, version: version, transform: transform)
        return try finish(try maker(kind, parameters), parameters, frame, frame.sample(rows, slots), version: version)
    }

    /// The frame of a quantizer, or of none, around the mean of some rows.
    func frame(
        _ kind: String?, _ parameters: QuantizerParameters?, _ space: VectorSpace, rows: VectorRows, slots: [UInt32],
        version: UInt64, transform: LinearTransform? = nil
    ) throws(KithError) -> CodeFrame {
        let zero = [Float](repeating: 0, count: CodeFrame.width(space.dimension))
        var frame = CodeFrame(space, transform: transform, mean: zero, rotation: .identity)
        frame.mean = frame.mean(rows, slots)
        if let kind, let parameters, case .random = try maker(kind, parameters).rotation(parameters) {
            frame.rotation = .random(width: frame.width, seed: mixBits(version))
        }
        frame.turnMean()
        return frame
    }

    /// Learns the codebook of a frame that is there, from residuals in it.
    func finish(
        _ maker: any CodebookMaker, _ parameters: QuantizerParameters, _ frame: CodeFrame, _ sample: TrainingSample,
        version: UInt64
    ) throws(KithError) -> Quantizer {
        var frame = frame
        let codebook = try maker.train(sample, parameters, rotation: &frame.rotation)
        frame.turnMean()
        return Quantizer(kind: maker.kind, version: version, frame: frame, codebook: codebook)
    }
}

extension CodeFrame {
    /// The mean of rows, padded to `width`.
    fileprivate func mean(_ rows: VectorRows, _ slots: [UInt32]) -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        let scratch = CodeScratch()
        scratch.prepare(width)
        for slot in slots {
            standardize(rows.row(slot), into: scratch.placed, spare: scratch.spare)
            for index in 0..<dimension { sums[index] += Double(scratch.placed[index]) }
        }
        return sums.map { Float($0 / Double(max(slots.count, 1))) }
    }

    func sample(_ rows: VectorRows, _ slots: [UInt32]) -> TrainingSample {
        var values = [Float](repeating: 0, count: slots.count * width)
        let scratch = CodeScratch()
        scratch.prepare(width)
        values.withUnsafeMutableBufferPointer { values in
            for (index, slot) in slots.enumerated() {
                place(rows.row(slot), into: values.baseAddress! + index * width, spare: scratch.spare)
            }
        }
        return TrainingSample(values: values, count: slots.count, width: width)
    }
}
