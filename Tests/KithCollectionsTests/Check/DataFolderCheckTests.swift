import Glibc
import KithCollections
import KithCore
import KithIndex
import KithStorage
import Testing

/// A folder is whole, or whatever is done to one of its files is told.
@Suite struct DataFolderCheckTests {
    private static let points: UInt64 = 1_500

    /// A closed folder with all there is: two shards, an index with checkpoints, updates, deletes, request ids, a log in tables and in the write-ahead log.
    private static func folder(_ kind: String = "graph") async throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        for round in 0..<3 {
            let node = try Node.open(folder.path)
            let words =
                round == 0
                ? try node.make("words", kind: kind) {
                    $0.shardCount = 2
                    if kind.hasPrefix("ivf") { $0.spaces[0].index.parameters["train_at"] = "300" }
                } : try node.catalogue.collection("words")
            for first in stride(from: UInt64(0), to: points, by: 100) {
                let request = WriteRequest()
                for id in first..<first + 100 {
                    request.upsert(id, [Float(id), Float(round), 1, 2], payload: #"{"round":\#(round)}"#)
                }
                try await words.commit(request, requestID: "\(round)-\(first)")
            }
            try await words.commit(WriteRequest().delete(UInt64(round)), durability: .indexed)
            for shard in words.shards { try shard.saveCursor("reader", at: 3) }
            node.close()
        }
        return folder
    }

    private func check(_ folder: TemporaryFolder) throws -> CheckReport { try DataFolderCheck(folder.path).run() }

    @Test func aWholeFolderHasNoProblems() async throws {
        let folder = try await DataFolderCheckTests.folder()
        let before = try files(below: folder.path)
        let report = try check(folder)
        #expect(report.problems.isEmpty, "\(report.problems)")
        for place in ["store", "catalogue", "words/0", "words/1/log", "words/0/space ''", "words/1/space ''/checkpoint"] {
            #expect(report.findings.contains { $0.place == place }, "\(place)")
        }
        #expect(try files(below: folder.path) == before)
    }

    @Test("a byte of any file is turned, or its end is cut off", arguments: IndexRegistry.builtIn.kinds)
    func damagedFiles(_ index: String) async throws {
        let whole = try await DataFolderCheckTests.folder(index)
        var kinds: Set<String> = []
        for path in try files(below: whole.path) {
            let name = String(path.dropFirst(whole.path.count + 1))
            guard let kind = DataFolderCheckTests.kind(name) else { continue }
            kinds.insert(kind)
            for cut in [false, true] {
                let copy = TemporaryFolder()
                try copyFolder(whole.path, to: copy.path)
                let size = DataFolderCheckTests.size(copy(name))
                // The last record of RocksDB's own logs may be half written after any crash: it is as if it never was.
                if size == 0 || cut && ["log", "MANIFEST"].contains(kind) { continue }
                if cut {
                    truncate(copy(name), off_t(size - 1))
                } else {
                    // Of a segment only the first rows are in use.
                    DataFolderCheckTests.turnByte(of: copy(name), at: kind == "vectors" ? 3 : size / 2)
                }
                let report = try check(copy)
                #expect(!report.isWhole, "\(name) of \(size), cut \(cut)")
                #expect(report.isRepairable == (kind == "checkpoint"), "\(name): \(report.problems)")
            }
        }
        #expect(kinds == ["sst", "log", "MANIFEST", "CURRENT", "vectors", "segments", "checkpoint"])
    }

    /// What a file is; nil for those that hold nothing that is needed.
    private static func kind(_ name: String) -> String? {
        let last = String(name.split(separator: "/").last ?? "")
        if last.hasPrefix("MANIFEST") { return "MANIFEST" }
        if ["CURRENT", "segments", "checkpoint"].contains(last) { return last }
        for ending in ["sst", "log", "vectors"] where last.hasSuffix(".\(ending)") { return ending }
        return nil
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func turnByte(of path: String, at offset: Int) {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        pread(file, &byte, 1, off_t(offset))
        byte = ~byte
        pwrite(file, &byte, 1, off_t(offset))
    }

    @Test("a file is missing")
    func missingFiles() async throws {
        let whole = try await DataFolderCheckTests.folder()
        for path in try files(below: whole.path) {
            let name = String(path.dropFirst(whole.path.count + 1))
            guard let kind = DataFolderCheckTests.kind(name), kind != "log", kind != "CURRENT" else { continue }
            let copy = TemporaryFolder()
            try copyFolder(whole.path, to: copy.path)
            unlink(copy(name))
            let report = try check(copy)
            // A checkpoint is only ever a saving of time.
            #expect(report.isWhole == (kind == "checkpoint"), "\(name): \(report.problems)")
        }
    }

    @Test("what is repaired is whole, and finds what it found", arguments: IndexRegistry.builtIn.kinds)
    func repair(_ index: String) async throws {
        let folder = try await DataFolderCheckTests.folder(index)
        let expected = try DataFolderCheckTests.answers(folder)
        let checkpoints = try files(below: folder.path).filter { $0.hasSuffix("/checkpoint") }
        #expect(checkpoints.count == 2)
        for path in checkpoints { damage(path) }
        let report = try check(folder)
        #expect(report.problems.count == 2 && report.isRepairable, "\(report.problems)")
        try DataFolderCheck(folder.path).repair(report)
        #expect(try check(folder).isWhole)
        #expect(try files(below: folder.path).filter { $0.hasSuffix("/checkpoint") } == checkpoints)
        #expect(try DataFolderCheckTests.answers(folder) == expected)
    }

    private static func answers(_ folder: TemporaryFolder) throws -> [PointID] {
        let node = try Node.open(folder.path)
        defer { node.close() }
        return try node.catalogue.collection("words").nearest([700, 2, 1, 2], 20) { $0.exact = true }.points.map(\.id)
    }

    /// A row of the store, and what the check says of it.
    private struct Forgery: Sendable {
        var family: ColumnFamily
        /// After the shard.
        var key: [UInt8]
        /// Nil deletes the row.
        var value: [UInt8]?
        var place: String
    }

    @Test("rows that are whole but cannot be true")
    func forgedRows() async throws {
        let whole = try await DataFolderCheckTests.folder()
        func position(_ number: UInt8) -> [UInt8] { [0, 0, 0, 0, 0, 0, 0, number] }
        let far: [UInt8] = [255, 255, 0, 0, 0, 0, 0, 0]
        let forgeries = [
            Forgery(family: .changes, key: position(5), value: nil, place: "words/0/log"),
            Forgery(family: .changes, key: position(1), value: nil, place: "words/0/log"),
            Forgery(family: .changes, key: position(7), value: [1, 2, 3], place: "words/0/log"),
            Forgery(family: .changes, key: position(255), value: [1], place: "words/0/log"),
            Forgery(family: .meta, key: [UInt8(ascii: "s")], value: [1, 2], place: "words/0"),
            Forgery(family: .meta, key: [UInt8(ascii: "c"), UInt8(ascii: "x")], value: far, place: "words/0/cursors"),
            Forgery(family: .requests, key: [UInt8(ascii: "r"), UInt8(ascii: "x")], value: far, place: "words/0/requests"),
            Forgery(family: .requests, key: [UInt8(ascii: "?")], value: far, place: "words/0/requests"),
            // A point that names a slot which another one has.
            Forgery(
                family: .points, key: [1] + position(250), value: [1, 1, 0, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
                place: "words/0/space ''"),
            Forgery(
                family: .points, key: [1] + far, value: [1, 1, 0, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8],
                place: "words/0/points"),
            Forgery(family: .points, key: [9], value: [1, 0], place: "words/0/points"),
        ]
        for forgery in forgeries {
            let copy = TemporaryFolder()
            try copyFolder(whole.path, to: copy.path)
            try DataFolderCheckTests.write(forgery, copy)
            let report = try check(copy)
            #expect(
                report.problems.contains { $0.place == forgery.place && $0.derivedFile == nil }, "\(forgery): \(report.problems)")
        }
    }

    private static func write(_ forgery: Forgery, _ folder: TemporaryFolder) throws {
        let database = try Database(path: folder("store"))
        let batch = database.makeBatch()
        let key: [UInt8] = [0, 0, 0, 1, 0, 0] + forgery.key
        if let value = forgery.value {
            batch.put(forgery.family, key: key, value: value)
        } else {
            batch.delete(forgery.family, key: key)
        }
        try database.write(batch, sync: true)
    }

    @Test func aFolderWithoutDataIsAnError() throws {
        let folder = TemporaryFolder()
        #expect(throws: KithError.self) { try DataFolderCheck(folder.path).run() }
        #expect(throws: KithError.self) { try DataFolderCheck(folder("nothing")).run() }
        #expect(try files(below: folder.path).isEmpty)
    }
}
