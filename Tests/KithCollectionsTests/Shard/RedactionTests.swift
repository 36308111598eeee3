import KithCollections
import KithCore
import Testing

/// What a collection redacts never enters its change log, and stays in its points.
@Suite struct RedactionTests {
    private let folder = TemporaryFolder()

    private func open(_ redactions: [FieldRedaction]) throws -> KithCollections.Collection {
        let node = folder.hold(try Node.open(folder("n")))
        var definition = CollectionDefinition(
            name: "c", spaces: [VectorSpace(name: "", dimension: 4, index: IndexDefinition(kind: "flat"))])
        definition.events.redactions = redactions
        _ = try node.catalogue.create(definition)
        return try node.catalogue.collection("c")
    }

    private func images(_ collection: KithCollections.Collection) throws -> [String] {
        var payloads: [String] = []
        _ = try collection.shards[0].forEachCommit(after: 0) { (commit, _) throws(KithError) in
            for change in commit.changes {
                payloads += [change.before, change.after].compactMap { $0?.payload.text }
            }
            return true
        }
        return payloads
    }

    @Test func imagesLackWhatPointsKeep() async throws {
        let collection = try open([
            FieldRedaction(path: "name", action: .drop), FieldRedaction(path: "people.email", action: .hash),
            FieldRedaction(path: "note", action: .mask), FieldRedaction(path: "no.such", action: .drop),
        ])
        let payload = #"{"name":"Ann","note":"secret","people":[{"email":"a@x"},{"email":"b@x"},{"email":"a@x"}],"word":"kith"}"#
        try await collection.commit(WriteRequest().upsert(1, [1, 0, 0, 0], payload: payload))
        try await collection.commit(WriteRequest().upsert(1, [2, 0, 0, 0], payload: payload).delete(1))
        try await collection.commit(WriteRequest().upsert(2, [1, 0, 0, 0], payload: payload))
        let images = try images(collection)
        #expect(images.count == 5 && Set(images).count == 1)
        let image = try #require(images.first)
        for secret in ["Ann", "secret", "a@x", "b@x"] { #expect(!image.contains(secret)) }
        #expect(image.contains(#""note":"***""#) && image.contains(#""word":"kith""#))
        let hashes = image.split(separator: "hmac-sha256:").dropFirst().map { String($0.prefix(64)) }
        #expect(hashes.count == 3 && hashes[0] == hashes[2] && hashes[0] != hashes[1])
        let isHex = hashes[0].allSatisfy { $0.isHexDigit }
        #expect(isHex)
        // A snapshot is as the log is; the point is whole.
        let moment = try collection.moment()
        let page = try collection.readCommit(
            from: .init(), limit: 10, at: moment.snapshot, positions: moment.positions.map(\.position))
        #expect(page.commits.flatMap { $0.commit.changes.compactMap { $0.after?.payload.text } } == [image])
        let points = try collection.scroll(from: .init(), limit: 10, PointSelection(payload: true))
        #expect(points.points.map(\.payload.text) == [payload])
    }

    @Test func otherCollectionsHashOtherwise() throws {
        let node = folder.hold(try Node.open(folder("m")))
        var keys: Set<String> = []
        for name in ["a", "b"] {
            var definition = CollectionDefinition(name: name, spaces: [])
            definition.events.redactions = [FieldRedaction(path: "x", action: .hash)]
            let made = try node.catalogue.create(definition)
            keys.insert(made.events.redactionKey)
            let changed = try node.catalogue.update(name, etag: "") { $0.description = "x" }
            #expect(changed.events.redactionKey == made.events.redactionKey)
        }
        #expect(keys.count == 2 && keys.map(\.count) == [64, 64])
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b"]) func badPaths(path: String) throws {
        #expect(throws: KithError.self) { try open([FieldRedaction(path: path, action: .drop)]) }
    }
}
