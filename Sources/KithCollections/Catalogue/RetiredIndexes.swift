import KithCore

extension CollectionDefinition {
    /// The definition with kinds of index that earlier releases had replaced by what took their place, so that old folders open.
    func withoutRetiredIndexes() -> CollectionDefinition {
        var definition = self
        for (number, space) in spaces.enumerated() where space.index.kind == "hnsw" {
            definition.spaces[number].index = IndexDefinition(layeredGraph: space.index.parameters)
        }
        return definition
    }
}

extension IndexDefinition {
    /// The graph of one level that took the place of the layered one, `hnsw`: with as many links as that had in its lowest layer, and as many candidates.
    fileprivate init(layeredGraph old: [String: String]) {
        self.init(kind: "graph")
        func carry(_ name: String, as newName: String, times factor: Int = 1, within range: ClosedRange<Int>) {
            guard let value = old[name].flatMap(Int.init), value <= range.upperBound else { return }
            parameters[newName] = "\(min(max(factor * value, range.lowerBound), range.upperBound))"
        }
        carry("m", as: "degree", times: 2, within: 8...128)
        carry("ef_construction", as: "construction_window", within: 16...2_048)
        carry("ef_search", as: "search_window", within: 1...Limits.searchEffort)
        // Whatever kind it is, these say how vectors are compared.
        for name in ["metric", "mahalanobis"] { parameters[name] = old[name] }
    }
}
