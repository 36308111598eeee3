import KithCore
import TestSupport
import Testing

/// Stored rows are never trusted: damage is an error, never a crash.
@Suite struct RowFuzzTests {
    private var commit: [UInt8] {
        var image: [UInt8] = []
        let payload = OwnedBytes(Array(#"{"word":"sea"}"#.utf8))
        PointImage(
            version: 300, vectors: [.init(space: 0, slot: 7, digest: 99), .init(space: 1, slot: 8, digest: 98)],
            payload: payload.view
        ).encode(into: &image)
        var row: [UInt8] = []
        Commit.encodeHeader(
            time: 1_700_000_000_000_000, requestID: "request", context: payload.view, schemaVersion: 3, firstVersion: 299,
            changeCount: 2, into: &row)
        for operation in [ChangeOperation.create, .update] {
            PointID.string("point").encoded.withUnsafeBytes { id in
                image.withUnsafeBytes { image in
                    Commit.encodeChange(operation, encodedID: id, before: image, after: image, into: &row)
                }
            }
        }
        Commit.encodeFacts([Fact(.audit, type: "t", key: "k", subject: "s", body: payload)], into: &row)
        return row
    }

    @Test func damagedCommitsAreErrorsOrCommits() throws {
        let whole = commit
        let read = try whole.withBytes { bytes throws(KithError) in try Commit(position: 1, decoding: bytes).changes.count }
        #expect(read == 2)
        Fuzzing.run(rounds: 20_000, seed: 11) { generator in
            let damaged = Fuzzing.mutated(whole, &generator)
            do throws(KithError) {
                let changes = try damaged.withBytes { bytes throws(KithError) in
                    try Commit(position: 1, decoding: bytes).changes.count
                }
                #expect(changes <= damaged.count)
            } catch {
                #expect(error.reason == .corruption)
            }
        }
    }

    @Test func damagedIDsAreNilOrIDs() {
        for id in [PointID.number(7), .uuid(.init(high: 1, low: 2)), .string("name")] {
            Fuzzing.run(rounds: 5_000, seed: 12) { generator in
                let damaged = Fuzzing.mutated(id.encoded, &generator)
                let read = damaged.withUnsafeBytes { PointID(encoded: $0) }
                #expect((read?.description.utf8.count ?? 0) <= max(damaged.count * 3, 36))
            }
        }
    }
}
