internal import KithCore

/// What a definition may say of an index of inverted lists.
///
/// `lists` (0: twice the square root of the vectors, at each training), `probes` (lists searched, where the search names no effort; 0: by the number of
/// lists), `train_at` (vectors from which on it is trained); where lists hold codes also `rescore` (candidates compared in full for each
/// wanted result; 0: as many as the quantizer needs), `quantizer` (another than the kind is named for), and that quantizer's own.
struct IVFParameters: Sendable {
    var lists: Int
    var probes: Int
    var trainAt: Int
    var rescore: Int
    /// Nil: full vectors.
    var quantizer: (kind: String, parameters: QuantizerParameters)?

    /// - Parameter standard: the quantizer where the definition names none; nil: full vectors.
    /// - Throws: `INVALID_INDEX_PARAMETER` for an unknown name, or a value out of range.
    init(_ space: VectorSpace, standard: String?, registry: QuantizerRegistry) throws(KithError) {
        var texts = space.index.parameters
        func number(_ name: String, _ standard: Int, _ range: ClosedRange<Int>) throws(KithError) -> Int {
            defer { texts[name] = nil }
            return try QuantizerParameters(texts).number(name, standard, in: range)
        }
        lists = try number("lists", 0, 0...Limits.invertedLists)
        probes = try IVFParameters.probes(texts)
        texts["probes"] = nil
        trainAt = try number("train_at", 10_000, 256...Int(Limits.graphSlots))
        guard let standard else {
            rescore = 1
            if let name = texts.keys.sorted().first {
                throw .invalidIndexParameter(name, "is none of lists, probes, train_at")
            }
            return
        }
        let kind = texts.removeValue(forKey: "quantizer") ?? standard
        rescore = try number("rescore", 0, 0...1_000)
        let parameters = QuantizerParameters(texts)
        try registry.check(kind, parameters, space)
        quantizer = (kind, parameters)
        if rescore == 0 { rescore = try registry.maker(kind, parameters).rescore(parameters) }
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
