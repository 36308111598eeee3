internal import CVectorKernels
public import KithCore

/// What a definition may say of a graph, of kind `graph` or `disk_graph`.
public struct GraphParameters: Sendable, Equatable {
    /// What nodes hold of a vector.
    public enum Codes: String, Sendable, CaseIterable {
        /// 8 bits a component for floating-point vectors where the metric allows, else the row itself; or 4 bits instead of either where the metric
        /// allows, that saves much, and the first vectors bear it (see `CodeChoice`). With links on disk 4 bits a component, where metric and element type allow.
        case auto
        /// The row itself.
        case full
        /// 8 bits a component, scaled by vector.
        case sq8
        /// 4 bits a component, scaled by vector.
        case sq4
    }

    /// Links of a node that pruning leaves; a record has room for some more.
    public var degree = 32
    /// Candidates kept while a node is linked: more make a better graph, more slowly.
    public var constructionWindow = 100
    /// How much nearer another link must be to a candidate to stand in its way; above 1 it keeps longer links too.
    public var alpha: Float = 1.2
    /// Candidates kept while searching, unless the query asks for others; nil: as many as the usual recall needs.
    public var searchWindow: Int?
    public var codes = Codes.auto
    /// Threads that link; 0: as many as there are processors.
    public var linkThreads = 0
    /// Whether links lie in a file, as those of kind `disk_graph` do.
    public var hasLinksOnDisk: Bool

    public init(linksOnDisk: Bool = false) { hasLinksOnDisk = linksOnDisk }

    /// - Throws: `INVALID_INDEX_PARAMETER` for an unknown name, or a value out of range.
    public init(_ parameters: [String: String], linksOnDisk: Bool = false) throws(KithError) {
        self.init(linksOnDisk: linksOnDisk)
        let names = ["alpha", "codes", "construction_window", "degree", "link_threads", "search_window"]
        for name in parameters.keys.sorted() where !names.contains(name) {
            throw .invalidIndexParameter(name, "is none of \(names.joined(separator: ", "))")
        }
        let texts = QuantizerParameters(parameters)
        degree = try texts.number("degree", degree, in: 8...128)
        constructionWindow = try texts.number("construction_window", constructionWindow, in: 16...2_048)
        linkThreads = try texts.number("link_threads", linkThreads, in: 0...64)
        searchWindow = try Self.searchWindow(parameters)
        codes = Codes(rawValue: try texts.choice("codes", Codes.allCases.map(\.rawValue))) ?? codes
        if let text = parameters["alpha"] {
            guard let value = Float(text), (1...2).contains(value) else {
                throw .invalidIndexParameter("alpha", "'\(text)' is no number from 1 to 2")
            }
            alpha = value
        }
    }

    /// - Throws: `INVALID_INDEX_PARAMETER` for a value out of range.
    static func searchWindow(_ parameters: [String: String]) throws(KithError) -> Int? {
        guard parameters["search_window"] != nil else { return nil }
        return try QuantizerParameters(parameters).number("search_window", 0, in: 1...Limits.searchEffort)
    }

    /// The codes that nodes may have: the first until vectors are there to judge by, then one of them for good.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` when the codes asked for cannot stand for the space's vectors.
    func codes(for space: VectorSpace) throws(KithError) -> [UInt8] {
        let code = try code(for: space)
        let isOpen = codes == .auto && !hasLinksOnDisk && canBeScaled(space) && CodeChoice.isWorthIt(space, insteadOf: code)
        return isOpen ? [code, UInt8(KITH_CODE_SCALAR4)] : [code]
    }

    /// The code of a graph without vectors.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` when the codes asked for cannot stand for the space's vectors.
    func code(for space: VectorSpace) throws(KithError) -> UInt8 {
        switch codes {
        case .full: return UInt8(KITH_CODE_FULL)
        case .auto where hasLinksOnDisk: return UInt8(canBeScaled(space) ? KITH_CODE_SCALAR4 : KITH_CODE_FULL)
        case .auto: return UInt8(space.element.isFloatingPoint && canBeScaled(space) ? KITH_CODE_SCALAR8 : KITH_CODE_FULL)
        case .sq8, .sq4:
            guard canBeScaled(space) else {
                throw .invalidIndexParameter("codes", "\(space.metric) over \(space.element) needs codes 'full' or 'auto'")
            }
            return UInt8(codes == .sq8 ? KITH_CODE_SCALAR8 : KITH_CODE_SCALAR4)
        }
    }

    /// Whether scaled components can stand for vectors: where the metric follows from a dot product.
    private func canBeScaled(_ space: VectorSpace) -> Bool {
        [.cosine, .dot, .l2].contains(space.metric) && space.element != .binary
    }

    /// `alpha` as a ratio of distances the way the metric gives them: squared for those that are squares of lengths (dot is pruned by L2).
    func alpha(for metric: Metric) -> Float {
        switch metric {
        case .l2, .cosine, .dot: alpha * alpha
        case .l1, .hamming, .jaccard: alpha
        }
    }

    /// The recall of a search that asks for nothing, a little above what most would ask for.
    public static let defaultRecall: Float = 0.97
    /// Candidates that find about that many on data of middling hardness: until the index has measured.
    private static let usualEffort: Float = 100

    /// Candidates to keep for a wanted recall where nothing was measured: misses fall about in proportion to what is kept.
    public static func effort(forRecall target: Float) -> Int {
        let missed = max(1 - target, 1e-4)
        return min(max(Int(usualEffort * (1 - defaultRecall) / missed), 1), Limits.searchEffort)
    }
}
