import CGRPCShim
import KithCollections
import KithCore
import Synchronization

/// SearchBatch: the queries of one call on all threads of the search pool; each fails alone.
struct SearchBatchHandler {
    /// Queries a thread takes at a time: as many as exact searches compare with a row at once.
    private static let slice = 32

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
        for slice in batch.slices.indices {
            do throws(KithError) {
                try engine.searchPool.submit { batch.run(slice) }
            } catch {
                batch.fail(slice, error)
            }
        }
    }

    /// The views, which live as long as their message and its call.
    struct ViewList: @unchecked Sendable {
        let start: UnsafePointer<KithSearchView>?
        let count: Int

        subscript(index: Int) -> KithSearchView { start.map { $0[index] } ?? KithSearchView() }
    }

    /// A batch under way: each slice encodes its part of the answer, and whoever finishes last sends them all.
    final class Batch: Sendable {
        private struct State {
            var parts: [Result<WireBuffer, KithError>?]
            var missing: Int
        }

        /// Places of its searches.
        let slices: [Range<Int>]

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
            slices = stride(from: 0, to: views.count, by: SearchBatchHandler.slice).map {
                $0..<min($0 + SearchBatchHandler.slice, views.count)
            }
            state = Mutex(State(parts: Array(repeating: nil, count: slices.count), missing: slices.count))
        }

        /// A collection by the name that the search before had: most often the next has it too.
        private final class Named {
            let name: KithBytes
            let collection: Collection
            let definition: CollectionDefinition

            init(_ name: KithBytes, _ collection: Collection) {
                self.name = name
                self.collection = collection
                definition = collection.definition
            }
        }

        /// Searches of one vector space, and their places among those of the slice.
        private struct Group {
            let collection: Collection
            let definition: CollectionDefinition
            let space: Int
            var searches: [VectorSearch] = []
            var places: [Int] = []
        }

        func run(_ number: Int) {
            let slice = slices[number]
            var outcomes = SearchOutcomes(count: slice.count)
            var groups: [Group] = []
            var named: Named?
            for place in 0..<slice.count {
                do throws(KithError) {
                    try add(views[slice.lowerBound + place], place, to: &groups, &named)
                } catch { fail(place, error, in: &outcomes) }
            }
            for group in groups { run(group, into: &outcomes) }
            withExtendedLifetime(message) {}
            finish(number, outcomes)
        }

        private func add(
            _ view: KithSearchView, _ place: Int, to groups: inout [Group], _ named: inout Named?
        ) throws(KithError) {
            let named = try collection(view.collection, &named)
            guard view.min_position_count == 0 else {
                throw .invalid(.invalidValue, field: "min_positions", "is not for batches: use Search")
            }
            let search = try WireSearches.search(view, named.definition, message)
            var number = groups.firstIndex { $0.collection === named.collection && $0.space == search.space }
            if number == nil {
                number = groups.count
                groups.append(Group(collection: named.collection, definition: named.definition, space: search.space))
            }
            guard let number else { return }
            groups[number].searches.append(search)
            groups[number].places.append(place)
        }

        private func collection(_ name: KithBytes, _ named: inout Named?) throws(KithError) -> Named {
            if let named, named.name.view.bytes.elementsEqual(name.view.bytes) { return named }
            let other = Named(name, try engine.catalogue.collection(name.text))
            named = other
            return other
        }

        private func run(_ group: Group, into outcomes: inout SearchOutcomes) {
            let results = SearchHandler.run(group.searches, in: group.collection, of: call)
            for case .failure in results.parts { engine.countSearchError() }
            outcomes.answer(group.places, results, group.definition)
        }

        private func fail(_ place: Int, _ error: KithError, in outcomes: inout SearchOutcomes) {
            engine.countSearchError()
            outcomes.fail(place, error)
        }

        func fail(_ number: Int, _ error: KithError) {
            var outcomes = SearchOutcomes(count: slices[number].count)
            for place in 0..<slices[number].count { outcomes.fail(place, error) }
            finish(number, outcomes)
        }

        private func finish(_ number: Int, _ outcomes: SearchOutcomes) {
            let part = Result { () throws(KithError) in try outcomes.encode() }
            let all = state.withLock { state -> [Result<WireBuffer, KithError>]? in
                state.parts[number] = part
                state.missing -= 1
                return state.missing == 0 ? state.parts.compactMap(\.self) : nil
            }
            guard let all else { return }
            do throws(KithError) { call.reply(try Batch.join(all)) } catch { call.fail(error) }
        }

        private static func join(_ parts: [Result<WireBuffer, KithError>]) throws(KithError) -> WireBuffer {
            let buffers = try parts.map { (part) throws(KithError) in try part.get() }
            defer { withExtendedLifetime(buffers) {} }
            let bytes = buffers.map(\.bytes)
            try Call.checkAnswerSize(bytes.reduce(0) { $0 + $1.size }, askFewer: "searches")
            return try WireBuffer(kith_encode_joined(bytes, bytes.count))
        }
    }
}
