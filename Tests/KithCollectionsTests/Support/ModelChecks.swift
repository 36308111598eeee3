import KithCollections
import KithCore
import Testing
import TestSupport

extension Model {
    /// Everything a client can read must be what the model holds.
    func expectEqual(_ collection: KithCollections.Collection, _ random: inout SeededGenerator) throws {
        let expected = points
        #expect(collection.pointCount == UInt64(expected.count))
        #expect(collection.positions.map(\.position) == shards.map { UInt64($0.commits.count) })
        let found = try collection.everything()
        #expect(Set(found.keys) == Set(expected.keys))
        for (id, point) in found { #expect(Point(point) == expected[id], "\(id)") }
        try expectSearches(collection, expected, &random)
        try expectLog(collection)
    }

    private func expectSearches(
        _ collection: KithCollections.Collection, _ expected: [PointID: Point], _ random: inout SeededGenerator
    ) throws {
        for (space, definition) in collection.definition.spaces.enumerated() {
            let query = random.vector(definition.dimension)
            let nearest = expected.compactMap { id, point in
                point.vectors[space].map { (id: id, distance: squaredDistance($0, query), version: point.version) }
            }.sorted { $0.distance < $1.distance }.prefix(10)
            let exact = try collection.nearest(query, 10, space: space) { $0.exact = true }
            #expect(exact.points.map(\.id) == nearest.map(\.id))
            #expect(exact.points.map(\.version) == nearest.map(\.version))
            for (point, wanted) in zip(exact.points, nearest) {
                #expect(abs(point.score - wanted.distance.squareRoot()) < 1e-4)
            }
            let walked = try collection.nearest(query, 10, space: space) { $0.selection = PointSelection(payload: true) }
            #expect(walked.points.count == nearest.count)
            #expect(Set(walked.points.map(\.id)).count == walked.points.count)
            for point in walked.points {
                let known = expected[point.id]
                #expect(point.payload.text == known?.payload && point.version == known?.version)
                let distance = known?.vectors[space].map { squaredDistance($0, query) } ?? .infinity
                #expect(abs(point.score - distance.squareRoot()) < 1e-4)
            }
        }
    }

    /// The change log is the model's history, before and after.
    private func expectLog(_ collection: KithCollections.Collection) throws {
        for (number, shard) in collection.shards.enumerated() {
            var seen: [Commit] = []
            _ = try shard.forEachCommit(after: 0) { commit, _ in
                seen.append(
                    Commit(
                        requestID: commit.requestID,
                        changes: commit.changes.map { change in
                            Change(
                                operation: change.operation, id: change.id,
                                before: change.before.map { Point($0, in: shard) },
                                after: change.after.map { Point($0, in: shard) })
                        }))
                return true
            }
            #expect(seen == shards[number].commits)
        }
    }
}

extension Model.Point {
    init(_ point: StoredPoint) {
        self.init(
            version: point.version, payload: point.payload.text,
            vectors: Dictionary(uniqueKeysWithValues: point.vectors.map { ($0.space, floats($0.bytes)) }))
    }

    init(_ image: PointImage, in shard: Shard) {
        let vectors = image.vectors.map { vector in
            (Int(vector.space), floats(shard.vector(space: Int(vector.space), slot: vector.slot)))
        }
        self.init(
            version: image.version, payload: image.payload.text, vectors: Dictionary(uniqueKeysWithValues: vectors))
    }
}

func floats(_ bytes: ByteView) -> [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { Float(bitPattern: bytes.bytes.littleEndian(at: $0)) }
}

func squaredDistance(_ left: [Float], _ right: [Float]) -> Float {
    zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}
