import CGRPCShim
import KithCollections
import KithCore
import Synchronization

/// SearchBatch: the queries of one call on all threads of the search pool; each fails alone.
struct SearchBatchHandler {
    /// Queries a thread takes at a time.
    private static let slice = 16

    let engine: Engine

    func handle(_ call: Call) throws(KithError) {
        var start: UnsafePointer<KithSearchView>?
        var count = 0
        let message = try WireMessage(kith_decode_search_batch(call.message, &start, &count))
        guard count > 0 else { throw .invalid(.requiredFieldMissing, field: "searches", "must have at least one entry") }
        guard count <= Limits.batchQueries else {
            throw .limit(field: "searches", value: count, limit: Limits.batchQueries, unit: "searches")
        }
        let batch = Batch(engine: engine, call: call, message: message, views: ViewList(start: start, count: count))
        for lower in stride(from: 0, to: count, by: SearchBatchHandler.slice) {
            let slice = lower..<min(lower + SearchBatchHandler.slice, count)
            do throws(KithError) {
                try engine.searchPool.submit { batch.run(slice) }
            } catch {
                batch.fail(slice, error)
            }
        }
    }

    /// The views, which live as long as their message.
    struct ViewList: @unchecked Sendable {
        let start: UnsafePointer<KithSearchView>?
        let count: Int

        subscript(index: Int) -> KithSearchView { start.map { $0[index] } ?? KithSearchView() }
    }

    /// A batch under way: whoever finishes last answers.
    final class Batch: Sendable {
        private struct State {
            var outcomes: [SearchOutcome?]
            var missing: Int
        }

        private let engine: Engine
        private let call: Call
        private let message: WireMessage
        private let views: ViewList
        private let state: Mutex<State>

        init(engine: Engine, call: Call, message: WireMessage, views: ViewList) {
            self.engine = engine
            self.call = call
            self.message = message
            self.views = views
            state = Mutex(State(outcomes: Array(repeating: nil, count: views.count), missing: views.count))
        }

        func run(_ slice: Range<Int>) {
            finish(slice, slice.map { outcome(views[$0]) })
        }

        func fail(_ slice: Range<Int>, _ error: KithError) {
            finish(slice, slice.map { _ in SearchOutcome(error) })
        }

        private func outcome(_ view: KithSearchView) -> SearchOutcome {
            do throws(KithError) {
                let collection = try engine.catalogue.collection(view.collection.text)
                let definition = collection.definition
                guard view.min_position_count == 0 else {
                    throw .invalid(.invalidValue, field: "min_positions", "is not for batches: use Search")
                }
                let search = try WireSearches.search(view, definition, message)
                return SearchOutcome(try SearchHandler.run(search, in: collection, of: call, message), definition)
            } catch {
                engine.countSearchError()
                return SearchOutcome(error)
            }
        }

        private func finish(_ slice: Range<Int>, _ outcomes: [SearchOutcome]) {
            let all = state.withLock { state -> [SearchOutcome]? in
                for (place, outcome) in zip(slice, outcomes) { state.outcomes[place] = outcome }
                state.missing -= slice.count
                return state.missing == 0 ? state.outcomes.compactMap(\.self) : nil
            }
            guard let all else { return }
            do throws(KithError) {
                let views = all.map(\.view)
                defer { withExtendedLifetime(all) {} }
                let answer = try WireBuffer(kith_encode_search_batch_response(views, views.count))
                call.reply(try answer.checkedAnswer(askFewer: "searches"))
            } catch { call.fail(error) }
        }
    }
}
