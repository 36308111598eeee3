import KithCore
import Testing

@Suite struct CommitTests {
    private static func image(_ version: UInt64, _ payload: OwnedBytes) -> PointImage {
        PointImage(
            version: version, vectors: [.init(space: 0, slot: 7, digest: 99), .init(space: 3, slot: .max, digest: .max)],
            payload: payload.view)
    }

    /// A row with a change of each kind.
    private static func row(facts: [Fact] = []) -> [UInt8] {
        let payload = OwnedBytes(Array("{\"a\":1}".utf8))
        var first: [UInt8] = []
        var second: [UInt8] = []
        image(1, payload).encode(into: &first)
        image(2, payload).encode(into: &second)
        var row: [UInt8] = []
        Commit.encodeHeader(
            time: -5, requestID: "r", context: payload.view, schemaVersion: 300, firstVersion: 40, changeCount: 3, into: &row)
        let operations: [ChangeOperation] = [.create, .update, .delete]
        for (number, operation) in operations.enumerated() {
            PointID.number(UInt64(number)).encoded.withUnsafeBytes { id in
                first.withUnsafeBytes { first in
                    second.withUnsafeBytes { second in
                        Commit.encodeChange(operation, encodedID: id, before: first, after: second, into: &row)
                    }
                }
            }
        }
        Commit.encodeFacts(facts, into: &row)
        return row
    }

    @Test func aRowReadsAsItWasWritten() throws {
        try CommitTests.row().withUnsafeBytes { bytes in
            let commit = try Commit(position: 4, decoding: bytes)
            #expect(commit.position == 4 && commit.time == -5 && commit.requestID == "r")
            #expect(commit.context.text == "{\"a\":1}" && commit.schemaVersion == 300 && commit.facts.isEmpty)
            // A deletion has a version too, which no image shows.
            #expect((0..<3).map(commit.version(ofChange:)) == [2, 2, 42])
            #expect(commit.changes.map(\.operation) == [.create, .update, .delete])
            #expect(commit.changes.map(\.id) == [.number(0), .number(1), .number(2)])
            #expect(commit.changes.map { $0.before?.version } == [nil, 1, 1])
            #expect(commit.changes.map { $0.after?.version } == [2, 2, nil])
            #expect(commit.changes[0].after?.vectors.map(\.slot) == [7, .max])
            #expect(commit.changes[0].after?.payload.text == "{\"a\":1}")
        }
    }

    @Test func factsComeAfterTheChanges() throws {
        let body = OwnedBytes(Array("{}".utf8))
        let facts = [Fact.Kind.catalogue, .audit].map { Fact($0, type: "t", key: "\($0)", subject: "s", body: body) }
        try CommitTests.row(facts: facts).withUnsafeBytes { bytes in
            let commit = try Commit(position: 4, decoding: bytes)
            #expect(commit.changes.count == 3)
            #expect(commit.facts.map(\.kind) == [.catalogue, .audit])
            #expect(commit.facts.map(\.key.text) == ["catalogue", "audit"])
            #expect(commit.facts.allSatisfy { $0.type.text == "t" && $0.subject.text == "s" && $0.body.text == "{}" })
        }
    }

    /// As the first release wrote it, byte by byte.
    @Test func rowsOfFormat1AreStillRead() throws {
        var row: [UInt8] = [1, 0xFB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, UInt8(ascii: "r"), 1]
        let id = PointID.number(7).encoded
        row += [ChangeOperation.delete.rawValue, UInt8(id.count)] + id + [4, 9, 0, UInt8(ascii: "{"), UInt8(ascii: "}")]
        try row.withUnsafeBytes { bytes in
            let commit = try Commit(position: 4, decoding: bytes)
            #expect(commit.time == -5 && commit.requestID == "r" && commit.context.isEmpty && commit.schemaVersion == 0)
            #expect(commit.changes.map(\.id) == [.number(7)])
            #expect(commit.changes[0].before?.version == 9 && commit.changes[0].before?.payload.text == "{}")
            #expect(commit.version(ofChange: 0) == 0 && commit.facts.isEmpty)
        }
    }

    @Test func aRowCutAnywhereIsCorruptionOrShorter() {
        let row = CommitTests.row()
        // A payload ends with its row: cutting the sizes before it is what shows.
        for length in 0..<row.count {
            _ = row[..<length].withUnsafeBytes { bytes in
                #expect(throws: KithError.self) { try Commit(position: 1, decoding: bytes) }
            }
        }
    }

    @Test func damagedBytesNeverTrap() {
        let row = CommitTests.row()
        for place in row.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var damaged = row
                damaged[place] = value
                let commit = damaged.withUnsafeBytes { bytes in try? Commit(position: 1, decoding: bytes) }
                #expect(commit == nil || commit?.position == 1)
            }
        }
    }
}
