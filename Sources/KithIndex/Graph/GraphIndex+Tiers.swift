extension GraphIndex: TieredIndex {
    public var footprint: IndexFootprint {
        graphs.reduce(into: IndexFootprint()) { sum, graph in
            sum.memoryBytes += Int(graph.publishedNodes) * graph.layout.stride
            sum.linkBytes += graph.linkFile?.byteCount ?? 0
        }
    }

    public var keepsLinksInMemory: Bool {
        get { graphs.allSatisfy { $0.linkFile?.isMapped != false } }
        set {
            for file in graphs.compactMap(\.linkFile) {
                file.isMapped = newValue
                if !newValue { file.releasePages() }
            }
        }
    }

    public func releaseLinks() {
        for file in graphs.compactMap(\.linkFile) where !file.isMapped { file.releasePages() }
    }
}
