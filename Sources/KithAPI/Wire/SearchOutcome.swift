import CGRPCShim
import KithCollections
import KithCore

/// A search's answer or error, as the wire has it; the view lives as long as this object.
final class SearchOutcome: @unchecked Sendable {
    private(set) var view = KithSearchOutcomeView()
    private let points: WirePoints?
    private let status: WireBuffer?

    init(_ result: SearchResult, _ definition: CollectionDefinition, tag: UInt64 = 0) {
        let points = WirePoints(result.points, definition)
        self.points = points
        status = nil
        view = KithSearchOutcomeView(points.views, unindexedLeftOut: result.unindexedLeftOut)
        view.tag = tag
    }

    init(_ error: KithError, tag: UInt64 = 0) {
        let status = WireStatus.encode(error)
        self.status = status
        points = nil
        view = KithSearchOutcomeView(error, status)
        view.tag = tag
    }

    /// Encodes the view with one of the shim's encoders.
    func encode(_ encoder: (UnsafePointer<KithSearchOutcomeView>) -> OpaquePointer?) throws(KithError) -> WireBuffer {
        defer { withExtendedLifetime(self) {} }
        return try WireBuffer(withUnsafePointer(to: view, encoder))
    }
}

/// The answers and errors of several searches, by their places, as the wire has them; the views live as long as this value.
struct SearchOutcomes {
    private var views: [KithSearchOutcomeView]
    private var points: [WirePoints] = []
    private var statuses: [WireBuffer] = []

    init(count: Int) { views = Array(repeating: KithSearchOutcomeView(), count: count) }

    /// What searches of one collection found, or why they failed.
    mutating func answer(_ places: [Int], _ results: SearchResults, _ definition: CollectionDefinition) {
        let points = WirePoints(results.points, definition)
        self.points.append(points)
        for (place, part) in zip(places, results.parts) {
            switch part {
            case .success(let part):
                views[place] = KithSearchOutcomeView(
                    UnsafeBufferPointer(rebasing: points.views[part.points]), unindexedLeftOut: part.unindexedLeftOut)
            case .failure(let error): fail(place, error)
            }
        }
    }

    mutating func fail(_ place: Int, _ error: KithError) {
        let status = WireStatus.encode(error)
        views[place] = KithSearchOutcomeView(error, status)
        statuses.append(status)
    }

    /// A SearchBatchResponse of them.
    func encode() throws(KithError) -> WireBuffer {
        defer { withExtendedLifetime(self) {} }
        return try WireBuffer(kith_encode_search_batch_response(views, views.count))
    }
}

extension KithSearchOutcomeView {
    fileprivate init(_ results: UnsafeBufferPointer<KithPointView>, unindexedLeftOut: Int) {
        self.init()
        self.results = results.baseAddress
        result_count = results.count
        unindexed_left_out = UInt64(unindexedLeftOut)
    }

    /// - Parameter status: the error's, which must outlive the view.
    fileprivate init(_ error: KithError, _ status: WireBuffer) {
        self.init()
        code = error.code.rawValue
        self.status = status.bytes
    }
}
