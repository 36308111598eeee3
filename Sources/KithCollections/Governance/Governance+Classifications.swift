import Foundation
public import KithCore
import Synchronization

extension Governance {
    /// In order of collection and field; those of one collection where one is given.
    public func classifications(of collection: UInt32? = nil) -> [Classification] {
        state.withLock { $0.classifications.values.filter { collection == nil || $0.collectionID == collection } }
            .sorted { ($0.collection, $0.field) < ($1.collection, $1.field) }
    }

    /// Classifies a collection or a field; an empty one is taken back.
    public func classify(_ wanted: Classification, _ request: GovernanceRequest) throws(KithError) -> Classification {
        try wanted.check()
        deciding.lock()
        defer { deciding.unlock() }
        let (known, count) = state.withLock { ($0.classifications[wanted.key], $0.classifications.count) }
        let what = "classification \(wanted.collectionID)/\(wanted.field)"
        if try isDone(request, what) { return known ?? wanted }
        if let known, known.says(what: wanted) { return known }
        if known == nil, wanted.isEmpty { return wanted }
        if known == nil { try Governance.check(count, Limits.classifications, of: "classifications") }
        var classification = wanted
        classification.updatedAt = Governance.now()
        let kept = wanted.isEmpty ? nil : classification
        let batch = store.makeBatch()
        try store.put(kept, .classification, key: wanted.key, into: batch)
        try decide(batch, [.classified(classification)], request, what, at: classification.updatedAt) {
            $0.classifications[wanted.key] = kept
        }
        return classification
    }
}
