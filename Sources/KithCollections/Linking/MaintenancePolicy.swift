/// What is known of an index and its vectors, of one space in one shard.
package struct MaintenanceFigures: Sendable {
    /// Vectors of living points.
    package var vectors: Int
    /// Vectors that came since the index was made, and those that were replaced or deleted since.
    package var addedSinceMade: Int
    package var removedSinceMade: Int
    /// Vectors that the index learned from and does not learn from again by itself; nil: it learned nothing.
    package var learnedFrom: Int?
    /// By how much searches that name a recall fall short of it, as measured; nil: not measured.
    package var missingRecall: Float?

    package init(
        vectors: Int, addedSinceMade: Int, removedSinceMade: Int, learnedFrom: Int? = nil, missingRecall: Float? = nil
    ) {
        self.vectors = vectors
        self.addedSinceMade = addedSinceMade
        self.removedSinceMade = removedSinceMade
        self.learnedFrom = learnedFrom
        self.missingRecall = missingRecall
    }
}

/// When an index is worth making anew, though nobody has asked.
///
/// Kinds look after themselves as long as they can: a graph takes the removed out and closes the gaps, inverted lists learn anew when vectors drift from
/// their centres. This is for what adds up beyond that.
package enum MaintenancePolicy {
    /// Vectors below which a scan is as good.
    private static let fewestVectors = 5_000
    /// Vectors removed for each living one: by then little is left of what the index was made of.
    private static let removed = 1
    /// Growth since the learning.
    private static let growth = 4
    /// Recall that may be missing without a rebuild.
    private static let toleratedMiss: Float = 0.01
    /// One in this many vectors must be of a later time than the index, or it would come out as it is.
    private static let renewedShare = 4

    package static func decide(_ figures: MaintenanceFigures) -> RebuildReason? {
        guard figures.vectors >= fewestVectors else { return nil }
        if figures.removedSinceMade > removed * figures.vectors { return .removed }
        if let learnedFrom = figures.learnedFrom, figures.vectors > growth * learnedFrom { return .growth }
        if let missing = figures.missingRecall, missing > toleratedMiss,
            figures.addedSinceMade * renewedShare >= figures.vectors
        {
            return .recall
        }
        return nil
    }
}
