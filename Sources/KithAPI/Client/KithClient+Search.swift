import CGRPCShim
public import KithCore

/// A question: which points are near?
public struct ClientQuery: Sendable {
    /// What to be near to.
    public enum Target: Sendable {
        /// Of the query's space.
        case vector(ClientVector)
        /// The vector of this point, which is left out of the results.
        case point(PointID)
    }

    /// What to be near to.
    public var target: Target
    /// May be empty where the collection has one space.
    public var space = ""
    /// Results wanted; 0 means the server's default.
    public var topK = 0
    /// Candidates of a graph search; 0 means the index's default.
    public var effort = 0
    /// Compare with every vector.
    public var exact = false
    /// Another score made of the metric's: the function, and what the score is multiplied with and added to before.
    public var scoreTransform: (function: ScoreTransform.Function, scale: Float?, offset: Float)?
    /// Whether results come with their payloads.
    public var payload = true

    /// The server's defaults, but for the target.
    public init(_ target: Target) { self.target = target }
}

extension KithClient {
    /// The points nearest to the query, nearest first.
    public func search(_ collection: String, _ query: ClientQuery) throws(KithError) -> [ClientPoint] {
        let request = try ViewArena.message { arena in
            var view = KithSearchView()
            view.collection = arena.bytes(collection)
            view.has_query = true
            switch query.target {
            case .vector(let vector):
                view.has_vector = true
                view.vector = arena.vector(vector)
            case .point(let id):
                view.has_point_id = true
                view.point_id = arena.id(id)
            }
            view.vector_space = arena.bytes(query.space)
            view.top_k = UInt32(clamping: query.topK)
            view.effort = UInt32(clamping: query.effort)
            view.exact = query.exact
            view.select.payload = query.payload
            if let transform = query.scoreTransform {
                view.has_score_transform = true
                view.score_function = Int32(transform.function.rawValue)
                view.has_score_scale = transform.scale != nil
                view.score_scale = transform.scale ?? 0
                view.score_offset = transform.offset
            }
            return kith_encode_search_request(&view)
        }
        let response = try call("/kith.v1.SearchService/Search", request)
        var outcome = KithSearchOutcomeView()
        let message = try WireMessage(answer: response) { kith_decode_search_response($0, &outcome) }
        defer { withExtendedLifetime(message) {} }
        var results: [ClientPoint] = []
        for result in UnsafeBufferPointer(start: outcome.results, count: outcome.result_count) {
            results.append(try ClientPoint(result))
        }
        return results
    }
}
