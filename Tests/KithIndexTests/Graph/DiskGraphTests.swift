import Foundation
import KithCore
import KithIndex
import Synchronization
import Testing

/// Reads every row from memory, as if from a file.
private final class CountingReader: RowSource {
    private let rows: VectorRows
    let reads = Atomic(0)
    /// What scans said that they had passed.
    let pieces = Mutex<[Range<UInt32>]>([])

    init(_ rows: VectorRows) { self.rows = rows }

    var isLimited: Bool { true }
    func isRead(_ slot: UInt32) -> Bool { slot % 2 == 0 }

    func read(_ slots: UnsafeBufferPointer<UInt32>, into buffer: UnsafeMutableRawPointer) {
        for (index, slot) in slots.enumerated() {
            (buffer + index * rows.stride).copyMemory(from: rows.row(slot), byteCount: rows.stride)
        }
        reads.add(slots.count, ordering: .relaxed)
    }

    func passed(_ slots: Range<UInt32>) { pieces.withLock { $0.append(slots) } }
}

@Suite struct DiskGraphTests {
    @Test("links and rows that are read give the answers that mapped ones give")
    func readsGiveTheSame() throws {
        let test = try TestRows(.test(24, .float32, .cosine, index: "disk_graph", ["search_window": "80"]), capacity: 8_000)
        let reader = CountingReader(test.rows)
        test.reader = reader
        test.appendRandom(8_000)
        let index = try #require(test.makeIndex() as? GraphIndex)
        try index.linkAll(upTo: 8_000)
        let queries = (0..<40).map { _ in test.randomVector() }
        func answers() throws -> [[Neighbour]] {
            try queries.map { try index.search(IndexQuery(vector: test.query($0), topK: 10), in: test.snapshot()) }
        }
        let mapped = try answers()
        index.keepsLinksInMemory = false
        #expect(!index.keepsLinksInMemory)
        #expect(try answers() == mapped)
        #expect(reader.reads.load(ordering: .relaxed) > 0)
        #expect(try test.recall(index) >= 0.95)
    }

    @Test("scans say which rows they are done with, piece by piece", arguments: [1, 3])
    func scansPass(_ queries: Int) throws {
        let test = try TestRows(.test(24, index: "disk_graph"), capacity: 8_000)
        let reader = CountingReader(test.rows)
        test.reader = reader
        test.appendRandom(8_000)
        let index = try test.makeIndex()
        let places = (0..<queries).map { test.rows.row(UInt32($0)) }
        _ = try index.search(places.map { IndexQuery(vector: $0, topK: 5, exact: true) }, in: test.snapshot())
        let pieces = reader.pieces.withLock { $0 }
        #expect(pieces.count > 8)
        #expect(pieces.first?.lowerBound == 0)
        #expect(pieces.last?.upperBound == 8_000)
        #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    }

    @Test("links lie beside the codes, not in them")
    func footprint() throws {
        let test = try TestRows(.test(100, index: "disk_graph"), capacity: 3_000)
        test.appendRandom(3_000)
        let index = try #require(test.makeIndex() as? GraphIndex)
        try index.linkAll(upTo: 3_000)
        // Half a byte a component, sixteen bytes about them, and the owner.
        let record = 50 + 2 + 16 + 4
        #expect(index.footprint.memoryBytes == 3_000 * record)
        #expect(index.footprint.linkBytes >= 3_000 * 40 * 4)
        let saved = index.checkpoint().sections.map(\.bytes.count).reduce(0, +)
        // Owners, counts of links and links of 12 bits, and some beacons with links of their own.
        let most = 3_000 * (4 + 1 + 40 * 12 / 8) + 220 * (4 + 24 * 4)
        #expect(saved <= most)
    }

    @Test("a checkpoint's links and owners are checked before they are believed")
    func rejectsDamage() throws {
        let test = try TestRows(.test(4, index: "disk_graph"), capacity: 1_000)
        test.appendRandom(1_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 1_000)
        let saved = index.checkpoint()
        for section in ["links", "owners"] {
            for offset in [0, 400] {
                let wild = try test.reread(saved)
                wild.sections[section]?.memory.base.storeBytes(of: 0xFFFF_FFF0, toByteOffset: offset, as: UInt32.self)
                let error = #expect(throws: KithError.self, "\(section) at \(offset)") { try test.restore(wild) }
                #expect(error?.reason == .corruption)
            }
            var missing = try test.reread(saved)
            missing.sections[section] = nil
            #expect(throws: KithError.self) { try test.restore(missing) }
            for change in [-100_000, -4, -1, 1] {
                var cut = try test.reread(saved)
                cut.sections[section]?.byteCount += change
                if (cut.sections[section]?.byteCount ?? 0) < 0 { cut.sections[section]?.byteCount = 0 }
                let error = #expect(throws: KithError.self, "\(section), \(change) bytes") { try test.restore(cut) }
                #expect(error?.reason == .corruption)
            }
        }
        // Links as they were before they were packed.
        var old = try test.reread(saved)
        old.attributes["format"] = 2
        #expect(throws: KithError.self) { try test.restore(old) }
    }

    @Test("links come back from a checkpoint as they were", arguments: [1, 2, 3, 256, 257, 20_000])
    func packsLinks(count: Int) throws {
        let test = try TestRows(.test(4, index: "disk_graph", ["degree": "8"]), capacity: count)
        test.appendRandom(count)
        let index = try test.makeIndex()
        try index.linkAll(upTo: UInt32(count))
        let saved = index.checkpoint()
        let restored = try test.restore(test.reread(saved))
        let again = restored.checkpoint()
        // Sections are valid as long as the index whose they are.
        defer { withExtendedLifetime((index, restored)) {} }
        #expect(again.sections.map(\.name) == saved.sections.map(\.name))
        for (section, other) in zip(saved.sections, again.sections) {
            #expect(section.bytes.elementsEqual(other.bytes), "\(section.name)")
        }
    }

    @Test("searches read links beside the thread that writes them")
    func searchesBesideLinking() async throws {
        let test = try TestRows(.test(8, index: "disk_graph"), capacity: 12_000)
        test.appendRandom(12_000)
        let index = try #require(test.makeIndex() as? GraphIndex)
        index.keepsLinksInMemory = false
        _ = try index.link(upTo: 6_000, limit: 6_000)
        let snapshot = Snapshot(slotCount: 6_000, position: 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try index.linkAll(upTo: 12_000) }
            for number in 0..<2 {
                group.addTask {
                    for round in 0..<200 {
                        let slot = UInt32(round * 20 + number)
                        let query = IndexQuery(vector: test.rows.row(slot), topK: 1)
                        let answer = try index.search(query, in: snapshot)
                        #expect(answer.first?.distance == 0)
                    }
                }
            }
            try await group.waitForAll()
        }
        try index.checkInvariants()
    }

    /// A folder of its own, for a graph's links.
    private static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("links-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    @Test("the file of links never has a name that a crash could leave behind")
    func linksHaveNoName() throws {
        let folder = try DiskGraphTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let watcher = inotify_init1(Int32(IN_NONBLOCK))
        defer { close(watcher) }
        try #require(inotify_add_watch(watcher, folder, UInt32(IN_CREATE)) >= 0)
        let test = try TestRows(.test(8, index: "disk_graph"), capacity: 1_000)
        test.scratchDirectory = folder
        test.appendRandom(1_000)
        try test.makeIndex().linkAll(upTo: 1_000)
        var event = [UInt8](repeating: 0, count: 4_096)
        #expect(read(watcher, &event, event.count) == -1 && errno == EAGAIN)
    }

    @Test("links that a failing disk made up lead nowhere, and the graph is made again")
    func damagedLinks() throws {
        let folder = try DiskGraphTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let test = try TestRows(.test(8, index: "disk_graph"), capacity: 3_000)
        test.scratchDirectory = folder
        test.appendRandom(3_000)
        let index = try #require(test.makeIndex() as? GraphIndex)
        try index.linkAll(upTo: 2_500)
        let file = try #require(try DiskGraphTests.descriptor(below: folder))
        for node in 0..<2_500 {
            // Another link of each.
            var wild = UInt32.max - UInt32(node)
            #expect(pwrite(file, &wild, 4, off_t(node * 160 + node % 7 * 4)) == 4)
        }
        for inMemory in [true, false] {
            index.keepsLinksInMemory = inMemory
            for _ in 0..<50 {
                _ = try index.search(IndexQuery(vector: test.randomQuery(), topK: 10, effort: 60), in: test.snapshot())
            }
        }
        let error = #expect(throws: KithError.self) { try index.linkAll(upTo: 3_000) }
        #expect(error?.reason == .corruption)
        try index.linkAll(upTo: 3_000)
        try index.checkInvariants()
        #expect(try test.recall(index, effort: 60) >= 0.95)
    }

    /// The open file that has no name in a folder.
    private static func descriptor(below folder: String) throws -> Int32? {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            if target?.hasPrefix(folder) == true { return Int32(name) }
        }
        return nil
    }
}
