import Foundation
public import KithCore
import Synchronization

extension Governance {
    /// In order of id and revision.
    public var models: [EmbeddingModel] {
        state.withLock { Array($0.models.values) }.sorted { $0.reference.text < $1.reference.text }
    }

    /// - Throws: `MODEL_NOT_FOUND`, about `field`.
    public func model(_ reference: ModelReference, field: String = "id") throws(KithError) -> EmbeddingModel {
        guard let model = state.withLock({ $0.models[reference.text] }) else {
            throw Governance.missing("model", reference.text, .modelNotFound, field: field)
        }
        return model
    }

    /// Registers a model, or changes its entry.
    public func register(_ wanted: EmbeddingModel, _ request: GovernanceRequest) throws(KithError) -> EmbeddingModel {
        try wanted.check()
        deciding.lock()
        defer { deciding.unlock() }
        let (known, count) = state.withLock { ($0.models[wanted.reference.text], $0.models.count) }
        let what = "model \(wanted.reference.text)"
        if try isDone(request, what) { return try model(wanted.reference) }
        if let known, known.says(what: wanted) { return known }
        if known == nil { try Governance.check(count, Limits.models, of: "models") }
        var model = wanted
        model.updatedAt = Governance.now()
        model.registeredAt = known?.registeredAt ?? model.updatedAt
        let batch = store.makeBatch()
        try store.put(model, .model, key: model.key, into: batch)
        try decide(batch, [.modelRegistered(model)], request, what, at: model.updatedAt) {
            $0.models[model.reference.text] = model
        }
        return model
    }
}
