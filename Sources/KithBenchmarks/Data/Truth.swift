import KithCore
import KithIndex

/// What the right answers to some queries are.
struct Truth: Sendable {
    /// By query, the distance of its true `topK`th neighbour: what is no farther is a right answer, whichever of equals it is.
    let radii: [Float]
    /// Queries that share a reading of the vectors.
    private static let queriesAtOnce = 64

    /// Right answers that each query has, at most `Dataset.topK`.
    let wanted: Int

    /// Given exact neighbours, a row a query.
    init(_ file: VectorFile, _ base: VectorSet, _ queries: VectorSet) throws(KithError) {
        wanted = min(Dataset.topK, base.count)
        guard file.rows >= queries.count, file.columns >= wanted else {
            throw .usage("\(file.path) has \(file.rows) x \(file.columns) neighbours, too few for \(queries.count) queries")
        }
        var radii: [Float] = []
        for query in 0..<queries.count {
            let nearest = file.integers(query).prefix(Dataset.topK)
            guard nearest.allSatisfy({ $0 >= 0 && $0 < base.count }) else {
                throw .usage("\(file.path), row \(query): a neighbour is none of the \(base.count) vectors")
            }
            radii.append(nearest.map { base.distance(queries.row(query), $0) }.max() ?? -.infinity)
        }
        self.radii = radii
    }

    /// By comparing every query with everything visible that matches.
    init(exact base: VectorSet, _ queries: VectorSet, in snapshot: Snapshot, filter: SlotFilter? = nil) throws(KithError) {
        let index = try FlatIndex(base.context)
        let groups = stride(from: 0, to: queries.count, by: Truth.queriesAtOnce).map { first in
            first..<min(first + Truth.queriesAtOnce, queries.count)
        }
        let found = try InParallel.map(groups.count) { (group) throws(KithError) in
            let queries = groups[group].map { query in
                IndexQuery(vector: queries.row(query), topK: Dataset.topK, exact: true, filter: filter)
            }
            return try index.search(queries, in: snapshot)
        }.flatMap(\.self)
        radii = found.map { $0.last?.distance ?? -.infinity }
        wanted = found.first?.count ?? 0
    }

    /// The share of right answers among those wanted.
    func recall(_ answers: [[Int]], _ base: VectorSet, _ queries: VectorSet) -> Double {
        var found = 0
        for (query, answer) in answers.enumerated() {
            let right = answer.filter { base.distance(queries.row(query), $0) <= radii[query] }
            found += min(Set(right).count, wanted)
        }
        return Double(found) / Double(max(answers.count * wanted, 1))
    }
}
