import Dispatch
public import KithCore
import KithIndex
import KithTelemetry

extension Collection {
    /// A search whose query is there.
    private struct Asked {
        var place: Int
        var search: VectorSearch
        var vector: UnsafeRawPointer
        var excluded: PointID?
        var found: [Found] = []
        var leftOut = 0
    }

    /// The answers of `search` to several searches of one space, in their order, all from the same views; exact ones share the reading of vectors.
    /// Each fails alone, but that all end with `CANCELLED`.
    ///
    /// - Parameter shouldStop: asked now and then; true ends them.
    public func search(_ searches: [VectorSearch], shouldStop: @escaping () -> Bool) -> [Result<SearchResult, KithError>] {
        let start = DispatchTime.now().uptimeNanoseconds
        var results = [Result<SearchResult, KithError>](
            repeating: .success(SearchResult(points: [], unindexedLeftOut: 0)), count: searches.count)
        var asked: [Asked] = []
        asked.reserveCapacity(searches.count)
        metrics.searches.add(searches.count)
        for (place, search) in searches.enumerated() {
            do throws(KithError) {
                if let one = try ask(search, place) { asked.append(one) }
            } catch { results[place] = .failure(error) }
        }
        let definition = definition
        let views = shards.map { $0.current() }
        do throws(KithError) {
            for number in shards.indices { try find(&asked, number, views[number], definition, shouldStop) }
            let owners = asked.first.map { self.owners(space: $0.search.space) } ?? []
            for one in asked {
                do throws(KithError) {
                    results[one.place] = .success(
                        try result(
                            one.found, one.search, without: one.excluded, leftOut: one.leftOut, definition, views, owners))
                } catch { results[one.place] = .failure(error) }
            }
        } catch {
            for one in asked { results[one.place] = .failure(error) }
        }
        let each = (DispatchTime.now().uptimeNanoseconds - start) / UInt64(max(searches.count, 1))
        metrics.searchDuration.record(nanoseconds: each, times: searches.count)
        return results
    }

    private func ask(_ search: VectorSearch, _ place: Int) throws(KithError) -> Asked? {
        switch search.query {
        case .vector(let vector):
            vector.bytes.baseAddress.map { Asked(place: place, search: search, vector: $0) }
        case .point(let id):
            Asked(place: place, search: search, vector: try queryVector(of: id, space: search.space), excluded: id)
        }
    }

    /// Adds what one shard finds.
    private func find(
        _ asked: inout [Asked], _ number: Int, _ view: ReadView, _ definition: CollectionDefinition,
        _ shouldStop: @escaping () -> Bool
    ) throws(KithError) {
        guard let first = asked.first else { return }
        let space = shards[number].spaces[first.search.space]
        let snapshot = view.snapshot(space: first.search.space)
        let index = space.index
        let tail = MaintainedIndex.tail(of: index, slotCount: snapshot.slotCount)
        space.searchRate.note(asked.count)
        var queries: [IndexQuery] = []
        queries.reserveCapacity(asked.count)
        for place in asked.indices {
            let one = asked[place]
            var query = indexQuery(one.search, one.vector, without: one.excluded, shouldStop)
            query.indexedOnly = leavesOut(tail, one.search, definition)
            if query.indexedOnly { asked[place].leftOut += tail }
            queries.append(query)
        }
        for (place, answer) in try index.search(queries, in: snapshot).enumerated() {
            if asked[place].excluded == nil { space.recallMeter.note(queries[place], in: snapshot, answer, by: index) }
            asked[place].found.reserveCapacity(asked[place].found.count + answer.count)
            for neighbour in answer { asked[place].found.append(Found(neighbour: neighbour, shard: number)) }
        }
    }
}
