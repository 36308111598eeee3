import KithCore
import KithIndex
import KithStorage

/// What a search of one shard found.
struct Found {
    var neighbour: Neighbour
    var shard: Int
}

/// One moment of one space: what searches of it look at, and the points that what they find are.
struct SpaceView {
    /// The number of the space in the definition.
    let space: Int
    let definition: CollectionDefinition

    private let collection: Collection
    private let metric: Metric
    /// By shard.
    private let views: [ReadView]
    /// By shard, whose the slots are.
    private let owners: [SlotOwners]

    init(_ collection: Collection, space: Int) {
        self.space = space
        self.collection = collection
        definition = collection.definition
        metric = definition.spaces[space].metric
        views = collection.shards.map { $0.current() }
        // After the views: whatever they show has an owner by then.
        owners = collection.shards.map { $0.spaces[space].rows.owners }
    }

    func snapshot(shard: Int) -> Snapshot { views[shard].snapshot(space: space) }

    /// Begins to fetch what names them: it lies anywhere in memory, and `append` would wait for each alone.
    func prefetch(_ answer: [Neighbour], shard: Int) {
        for neighbour in answer { owners[shard].prefetch(neighbour.slot) }
    }

    /// Appends the points of what one search found in all shards: at most `topK`, nearest first, within the threshold. Adds nothing when it throws.
    func append(
        _ found: inout [Found], of search: VectorSearch, without excluded: PointID?, to points: inout [StoredPoint]
    ) throws(KithError) {
        // Stable: between equals the smaller shard and slot comes first, every time.
        if views.count > 1 { found.sort { $0.neighbour.distance < $1.neighbour.distance } }
        let start = points.count
        do throws(KithError) {
            try name(found, search, without: excluded, start, &points)
            if !search.selection.isEmpty { try fill(&points, from: start, search.selection) }
        } catch {
            points.removeSubrange(start...)
            throw error
        }
    }

    private func name(
        _ found: [Found], _ search: VectorSearch, without excluded: PointID?, _ start: Int, _ points: inout [StoredPoint]
    ) throws(KithError) {
        let greaterIsNearer = search.scoreTransform?.greaterIsNearer(metric) ?? metric.greaterIsNearer
        for candidate in found {
            var score = metric.score(distance: candidate.neighbour.distance)
            if let transform = search.scoreTransform { score = transform(score) }
            if let threshold = search.scoreThreshold, greaterIsNearer ? score < threshold : score > threshold { break }
            let owners = owners[candidate.shard]
            guard let id = owners.id(candidate.neighbour.slot) else {
                throw KithError(.dataLoss, .corruption, "slot \(candidate.neighbour.slot) belongs to no point")
            }
            if let excluded, id == excluded { continue }
            if points.count - start == search.topK { break }
            points.append(StoredPoint(id: id, version: owners.version(candidate.neighbour.slot), score: score))
        }
    }

    /// Adds the selected parts, as they were in the views that were searched.
    private func fill(_ points: inout [StoredPoint], from start: Int, _ selection: PointSelection) throws(KithError) {
        let numbers = points[start...].map { collection.shardNumber(of: $0.id) }
        var budget = AnswerBudget()
        for (number, shard) in collection.shards.enumerated() {
            let places = numbers.indices.filter { numbers[$0] == number }.map { start + $0 }
            try shard.rows(of: places.map { points[$0].id }, in: views[number]) { index, row throws(KithError) in
                guard let row else {
                    throw KithError(.dataLoss, .corruption, "point \(points[places[index]].id) is indexed, but has no row")
                }
                try shard.fill(&points[places[index]], from: OwnedBytes(row), selection)
                try budget.add(points[places[index]])
            }
        }
    }
}
