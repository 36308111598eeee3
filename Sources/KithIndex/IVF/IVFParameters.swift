internal import KithCore

/// What a definition may say of an index of inverted lists.
///
/// `lists` (0: twice the square root of the vectors, at each training), `probes` (lists searched, where the search names no effort; 0: by the number of
/// lists), `train_at` (vectors from which on it is trained), `rescore` (candidates compared in full for each wanted result), and the
/// quantizer's own: `bits`, `parts`, and for `ivf_pq` `quantizer`, `pq` or `opq`.
struct IVFParameters: Sendable {
    var lists: Int
    var probes: Int
    var trainAt: Int
    var rescore: Int
    /// Nil for `ivf_flat`.
    var quantizer: (kind: String, parameters: QuantizerParameters)?

    /// - Throws: `INVALID_INDEX_PARAMETER` for an unknown name, or a value out of range.
    init(_ space: VectorSpace, flavour: IVFFlavour, registry: QuantizerRegistry) throws(KithError) {
        var texts = space.index.parameters
        func number(_ name: String, _ standard: Int, _ range: ClosedRange<Int>) throws(KithError) -> Int {
            defer { texts[name] = nil }
            return try QuantizerParameters(texts).number(name, standard, in: range)
        }
        lists = try number("lists", 0, 0...Limits.invertedLists)
        probes = try IVFParameters.probes(texts)
        texts["probes"] = nil
        trainAt = try number("train_at", 10_000, 256...Int(Limits.graphSlots))
        guard let standard = flavour.quantizer else {
            rescore = 1
            if let name = texts.keys.sorted().first {
                throw .invalidIndexParameter(name, "is none of lists, probes, train_at")
            }
            return
        }
        let kind = try QuantizerParameters(texts).choice("quantizer", standard)
        texts["quantizer"] = nil
        rescore = try number("rescore", 0, 0...1_000)
        let parameters = QuantizerParameters(texts)
        try registry.check(kind, parameters, space)
        quantizer = (kind, parameters)
        // Estimates of few bits are wrong more often: more of them are looked at.
        if rescore == 0 {
            rescore = kind == "rabitq" ? [20, 8, 4, 3, 2, 2, 2, 2][try parameters.number("bits", 1, in: 1...8) - 1] : 10
        }
    }

    /// Lists for a number of vectors.
    func lists(for vectors: Int) -> Int {
        lists > 0 ? lists : min(max(2 * Int(Double(vectors).squareRoot()), 1), Limits.invertedLists)
    }

    /// Lists to search where nobody says, and the recall that this is meant for.
    static func usualProbes(of lists: Int) -> Int { max(16, lists / 24) }
    private static let defaultRecall: Float = 0.95

    /// - Throws: `INVALID_INDEX_PARAMETER` for a value out of range.
    static func probes(_ parameters: [String: String]) throws(KithError) -> Int {
        try QuantizerParameters(parameters).number("probes", 0, in: 0...Limits.invertedLists)
    }

    /// Lists to search where the query does not say, and nothing was measured.
    ///
    /// - Parameter probes: as the definition has them.
    static func probes(_ probes: Int, of lists: Int, recallTarget: Float?) -> Int {
        let standard = probes > 0 ? probes : IVFParameters.usualProbes(of: lists)
        guard let recallTarget else { return min(standard, lists) }
        let wanted = Float(standard) * (1 - IVFParameters.defaultRecall) / max(1 - recallTarget, 1e-4)
        return min(max(Int(wanted), 1), lists)
    }
}

/// The kinds of index that inverted lists make.
struct IVFFlavour: Sendable {
    var kind: String
    /// Quantizers there are to choose from, the default first; nil: full vectors.
    var quantizer: [String]?

    static let flat = IVFFlavour(kind: "ivf_flat", quantizer: nil)
    static let product = IVFFlavour(kind: "ivf_pq", quantizer: ["pq", "opq"])
    static let raBitQ = IVFFlavour(kind: "ivf_rabitq", quantizer: ["rabitq"])
}
