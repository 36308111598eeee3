import Dispatch
import KithCore
import KithIndex
import KithTelemetry

extension Collection {
    /// A search whose query is there.
    private struct Asked {
        var place: Int
        var vector: UnsafeRawPointer
        var excluded: PointID?
        var leftOut = 0
    }

    /// The answers of `search` to several searches of one space, all from the same views; exact ones share the reading of vectors.
    /// Each fails alone, but that all end with `CANCELLED`.
    ///
    /// - Parameter shouldStop: asked now and then; true ends them.
    public func search(_ searches: [VectorSearch], shouldStop: @escaping () -> Bool) -> SearchResults {
        let start = DispatchTime.now().uptimeNanoseconds
        metrics.searches.add(searches.count)
        var results = SearchResults(count: searches.count)
        var asked: [Asked] = []
        asked.reserveCapacity(searches.count)
        for (place, search) in searches.enumerated() {
            do throws(KithError) {
                if let one = try ask(search, place) { asked.append(one) }
            } catch { results.parts[place] = .failure(error) }
        }
        do throws(KithError) {
            try find(searches, &asked, &results, shouldStop)
        } catch {
            for one in asked { results.parts[one.place] = .failure(error) }
        }
        let each = (DispatchTime.now().uptimeNanoseconds - start) / UInt64(max(searches.count, 1))
        metrics.searchDuration.record(nanoseconds: each, times: searches.count)
        return results
    }

    private func ask(_ search: VectorSearch, _ place: Int) throws(KithError) -> Asked? {
        switch search.query {
        case .vector(let vector):
            vector.bytes.baseAddress.map { Asked(place: place, vector: $0) }
        case .point(let id):
            Asked(place: place, vector: try queryVector(of: id, space: search.space), excluded: id)
        }
    }

    private func find(
        _ searches: [VectorSearch], _ asked: inout [Asked], _ results: inout SearchResults, _ shouldStop: @escaping () -> Bool
    ) throws(KithError) {
        guard !asked.isEmpty, let space = searches.first?.space else { return }
        let view = SpaceView(self, space: space)
        var answers: [[[Neighbour]]] = []
        for shard in shards.indices { answers.append(try find(searches, &asked, shard, view, shouldStop)) }
        results.points.reserveCapacity(answers.joined().reduce(0) { $0 + $1.count })
        var found: [Found] = []
        prefetch(0, of: answers, view)
        for (number, one) in asked.enumerated() {
            // What names the next one's comes from memory meanwhile.
            prefetch(number + 1, of: answers, view)
            found.removeAll(keepingCapacity: true)
            for shard in shards.indices {
                for neighbour in answers[shard][number] { found.append(Found(neighbour: neighbour, shard: shard)) }
            }
            let start = results.points.count
            do throws(KithError) {
                try view.append(&found, of: searches[one.place], without: one.excluded, to: &results.points)
                results.parts[one.place] = .success(
                    SearchResults.Part(points: start..<results.points.count, unindexedLeftOut: one.leftOut))
            } catch { results.parts[one.place] = .failure(error) }
        }
    }

    private func prefetch(_ number: Int, of answers: [[[Neighbour]]], _ view: SpaceView) {
        for (shard, answers) in answers.enumerated() where number < answers.count {
            view.prefetch(answers[number], shard: shard)
        }
    }

    /// What one shard has for each.
    private func find(
        _ searches: [VectorSearch], _ asked: inout [Asked], _ shard: Int, _ view: SpaceView,
        _ shouldStop: @escaping () -> Bool
    ) throws(KithError) -> [[Neighbour]] {
        let space = shards[shard].spaces[view.space]
        let snapshot = view.snapshot(shard: shard)
        let index = space.index
        let tail = MaintainedIndex.tail(of: index, slotCount: snapshot.slotCount)
        space.searchRate.note(asked.count)
        var queries: [IndexQuery] = []
        queries.reserveCapacity(asked.count)
        for number in asked.indices {
            let search = searches[asked[number].place]
            var query = indexQuery(search, asked[number].vector, without: asked[number].excluded, shouldStop)
            query.indexedOnly = leavesOut(tail, search, view.definition)
            if query.indexedOnly { asked[number].leftOut += tail }
            queries.append(query)
        }
        let answers = try index.search(queries, in: snapshot)
        for number in asked.indices where asked[number].excluded == nil {
            space.recallMeter.note(queries[number], in: snapshot, answers[number], by: index)
        }
        return answers
    }
}
