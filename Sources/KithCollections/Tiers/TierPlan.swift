/// What of several collections may be in memory: the hottest parts that fit, of each into its own budget and of all into the node's.
package enum TierPlan {
    /// Something that is either in memory or on disk.
    package struct Part: Sendable {
        /// The collection, by its place in the list of budgets.
        package var collection: Int
        package var bytes: Int
        /// Uses lately.
        package var heat: Double
        package var isInMemory: Bool

        package init(collection: Int, bytes: Int, heat: Double, isInMemory: Bool) {
            self.collection = collection
            self.bytes = bytes
            self.heat = heat
            self.isInMemory = isInMemory
        }
    }

    /// How much hotter a part on disk must be to take the place of one in memory: lest they take turns.
    private static let inertia = 1.25

    /// The places of the parts that are to be in memory.
    ///
    /// - Parameters:
    ///   - budgets: bytes left to each collection; nil: any number.
    ///   - nodeBudget: bytes left to all of them; nil: any number.
    /// - Complexity: O(n log n).
    package static func choose(_ parts: [Part], budgets: [Int?], nodeBudget: Int?) -> Set<Int> {
        var left = budgets
        var nodeLeft = nodeBudget
        var chosen: Set<Int> = []
        func worth(_ part: Part) -> Double { part.heat * (part.isInMemory ? inertia : 1) }
        for index in parts.indices.sorted(by: { (worth(parts[$0]), $1) > (worth(parts[$1]), $0) }) {
            let part = parts[index]
            if let room = left[part.collection], room < part.bytes { continue }
            if let room = nodeLeft, room < part.bytes { continue }
            left[part.collection]? -= part.bytes
            nodeLeft? -= part.bytes
            chosen.insert(index)
        }
        return chosen
    }
}
