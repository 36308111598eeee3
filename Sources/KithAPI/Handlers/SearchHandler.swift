import CGRPCShim
import KithCollections
import KithCore

/// Search: short ones run where they arrive, long ones on the search pool, so that they do not hold up other calls.
struct SearchHandler {
    /// Comparisons that still count as short: about half a millisecond.
    static let shortComparisons = 5_000

    let engine: Engine

    func handle(_ call: Call) throws(KithError) {
        var view = KithSearchView()
        let message = try WireMessage(kith_decode_search(call.message, &view))
        let collection = try engine.catalogue.collection(view.collection.text)
        let search = try WireSearches.search(view, collection.definition, message)
        if view.min_position_count == 0, collection.expectedComparisons(search) <= SearchHandler.shortComparisons {
            return answer(call, collection, search, message)
        }
        let positions = try WireValues.positions(view.min_positions, view.min_position_count, field: "min_positions")
        try Deadline.whenApplied(positions, in: collection, of: call) { late in
            do throws(KithError) {
                if let late { throw late }
                try engine.searchPool.submit { answer(call, collection, search, message) }
            } catch { call.fail(error) }
        }
    }

    private func answer(_ call: Call, _ collection: Collection, _ search: VectorSearch, _ message: WireMessage) {
        do throws(KithError) {
            let outcome = SearchOutcome(
                try SearchHandler.run(search, in: collection, of: call, message), collection.definition)
            call.audit?.returns(outcome.view.result_count)
            call.reply(try outcome.encode(kith_encode_search_response).checkedAnswer(askFewer: "results"))
        } catch {
            engine.countSearchError()
            call.fail(error)
        }
    }

    /// One search; abandoned when the call is.
    static func run(
        _ search: VectorSearch, in collection: Collection, of call: Call, _ message: WireMessage
    ) throws(KithError) -> SearchResult {
        defer { withExtendedLifetime(message) {} }
        do throws(KithError) {
            if call.shouldStop { throw KithError(.cancelled, .cancelled, "the call was cancelled") }
            return try collection.search(search) { call.shouldStop }
        } catch { throw reason(error, of: call) }
    }

    /// Searches of one vector space.
    static func run(_ searches: [VectorSearch], in collection: Collection, of call: Call) -> SearchResults {
        if call.shouldStop {
            return SearchResults(
                reason(KithError(.cancelled, .cancelled, "the call was cancelled"), of: call), count: searches.count)
        }
        var results = collection.search(searches) { call.shouldStop }
        results.mapErrors { reason($0, of: call) }
        return results
    }

    /// Stopped searches say CANCELLED; the deadline is a reason of its own.
    private static func reason(_ error: KithError, of call: Call) -> KithError {
        guard error.reason == .cancelled, call.remainingMilliseconds == 0 else { return error }
        return KithError(.deadlineExceeded, .deadlineExceeded, "the deadline passed during the search")
    }
}
