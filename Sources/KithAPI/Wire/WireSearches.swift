import CGRPCShim
import KithCollections
import KithCore

/// Search requests to searches.
enum WireSearches {
    /// What a search leaves to choose.
    private static let defaultTopK = 10
    private static let recallTargets: ClosedRange<Float> = 0.5...1

    static func search(
        _ view: KithSearchView, _ definition: CollectionDefinition, _ message: WireMessage
    ) throws(KithError) -> VectorSearch {
        let topK = view.top_k == 0 ? defaultTopK : Int(view.top_k)
        guard topK <= Limits.topK else {
            throw .limit(field: "top_k", value: topK, limit: Limits.topK, unit: "results")
        }
        let space = try definition.spaceIndex(view.vector_space.text, field: "vector_space")
        var search = VectorSearch(
            space: space, query: try query(view, definition.spaces[space], message), topK: topK)
        search.indexedOnly = view.indexed_only
        search.exact = view.exact || view.recall_target == 1
        search.effort = try effort(view)
        search.recallTarget = try recallTarget(view)
        if view.has_score_threshold {
            guard view.score_threshold.isFinite else {
                throw .invalid(
                    .invalidValue, field: "score_threshold", "is \(view.score_threshold), it must be finite",
                    metadata: ["value": "\(view.score_threshold)"])
            }
            search.scoreThreshold = view.score_threshold
        }
        search.scoreTransform = try scoreTransform(view, definition.spaces[space].metric)
        search.selection = try WireValues.selection(view.select, definition, field: "select")
        return search
    }

    private static func scoreTransform(_ view: KithSearchView, _ metric: Metric) throws(KithError) -> ScoreTransform? {
        guard view.has_score_transform else { return nil }
        let function = try WireValues.enumeration(
            view.score_function, ScoreTransform.Function.self, default: nil, field: "score_transform.function")
        return try ScoreTransform(
            function, scale: view.has_score_scale ? view.score_scale : nil, offset: view.score_offset, of: metric,
            field: "score_transform")
    }

    private static func effort(_ view: KithSearchView) throws(KithError) -> Int? {
        if view.effort == 0 { return nil }
        guard Int(view.effort) <= Limits.searchEffort else {
            throw .limit(
                field: "parameters.effort", value: Int(view.effort), limit: Limits.searchEffort, unit: "candidates")
        }
        guard view.recall_target == 0 else {
            throw .invalid(.invalidValue, field: "parameters.effort", "excludes recall_target: give one of them")
        }
        return Int(view.effort)
    }

    private static func recallTarget(_ view: KithSearchView) throws(KithError) -> Float? {
        if view.recall_target == 0 { return nil }
        guard recallTargets.contains(view.recall_target) else {
            throw .invalid(
                .invalidValue, field: "parameters.recall_target",
                "is \(view.recall_target), it must be \(recallTargets.lowerBound) to \(recallTargets.upperBound)",
                metadata: ["value": "\(view.recall_target)"])
        }
        return view.recall_target
    }

    private static func query(
        _ view: KithSearchView, _ space: VectorSpace, _ message: WireMessage
    ) throws(KithError) -> VectorSearch.Query {
        if view.has_point_id { return .point(try WireValues.pointID(view.point_id, field: "query.point_id")) }
        guard view.has_vector else {
            throw .invalid(.requiredFieldMissing, field: "query", "must be a vector or a point_id")
        }
        let name = view.vector.space
        guard name.isEmpty || name.text == space.name else {
            throw .invalid(
                .unknownVectorSpace, field: "query.vector.space", "is '\(name.text)', the search is of '\(space.name)'",
                metadata: ["vector_space": name.text])
        }
        return .vector(try WireValues.vector(view.vector, space, field: "query.vector", message))
    }
}
