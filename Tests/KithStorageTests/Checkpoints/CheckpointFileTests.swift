import Glibc
import KithCore
import KithStorage
import Testing
import TestSupport

@Suite struct CheckpointFileTests {
    let folder = TemporaryFolder()
    private static let large = 2_300_001

    /// A checkpoint of three sections: one empty, one short, one over several buffers.
    @discardableResult
    private func writeSample(seed: UInt64 = 1) throws -> [String: [UInt8]] {
        var random = SeededGenerator(seed: seed)
        let contents = ["empty": [], "short": random.bytes(10), "large": random.bytes(Self.large)]
        let owners = contents.mapValues { OwnedBytes($0) }
        try CheckpointFile.write(
            to: folder("checkpoint"), attributes: ["position": 77, "rows": .max],
            sections: ["empty", "short", "large"].map { .init(name: $0, bytes: owners[$0]!.view.bytes) })
        withExtendedLifetime(owners) {}
        return contents
    }

    /// Opens and loads all; the contents.
    private func loadAll() throws -> [String: [UInt8]] {
        let opened = try #require(try CheckpointFile.open(folder("checkpoint")))
        guard opened.attributes == ["position": 77, "rows": .max] else { throw KithError(.dataLoss, .corruption, "attributes") }
        var contents: [String: [UInt8]] = [:]
        for name in ["empty", "short", "large"] {
            let (memory, count) = try opened.load(name, capacity: 4 << 20)
            contents[name] = Array(UnsafeRawBufferPointer(start: memory.base, count: count))
        }
        return contents
    }

    @Test func givesBackWhatWasWritten() throws {
        let contents = try writeSample()
        #expect(try loadAll() == contents)
        #expect(try CheckpointFile.open(folder("checkpoint"))?.sections == ["empty", "short", "large"])
        #expect(try Directory.names(in: folder.path) == ["checkpoint"])
    }

    @Test func thereMayBeNone() throws {
        #expect(try CheckpointFile.open(folder("checkpoint")) == nil)
        try CheckpointFile.write(to: folder("checkpoint"), attributes: [:], sections: [])
        #expect(try CheckpointFile.open(folder("checkpoint"))?.attributes == [:])
    }

    @Test func loadedMemoryGrowsAndKeepsTheFile() throws {
        let contents = try writeSample()
        let opened = try #require(try CheckpointFile.open(folder("checkpoint")))
        let (memory, count) = try opened.load("short", capacity: 1 << 20)
        let bytes = UnsafeMutableRawBufferPointer(start: memory.base, count: 1 << 20)
        #expect(bytes[count...].allSatisfy { $0 == 0 })
        bytes.initializeMemory(as: UInt8.self, repeating: 0xAA)
        #expect(try loadAll() == contents)
        // A replaced file does not disturb what was loaded from the old one.
        try writeSample(seed: 2)
        #expect(bytes.allSatisfy { $0 == 0xAA })
    }

    @Test func aSectionThatIsMissingOrTooLargeIsCorrupt() throws {
        try writeSample()
        let opened = try #require(try CheckpointFile.open(folder("checkpoint")))
        for (name, capacity) in [("other", 1 << 20), ("large", Self.large - 1)] {
            let error = #expect(throws: KithError.self) { try opened.load(name, capacity: capacity) }
            #expect(error?.reason == .corruption)
        }
    }

    @Test func everyFlippedBitIsFound() throws {
        try writeSample()
        let sound = readFile(folder("checkpoint"))
        var random = SeededGenerator(seed: 3)
        // Every byte of the prefix, many of the header, its padding, both sections and theirs.
        let offsets =
            Array(0..<24) + (24..<160).shuffled(using: &random).prefix(60)
            + (0..<60).map { _ in Int.random(in: 160..<sound.count, using: &random) }
            + [65_535, 65_536, 65_545, 65_546, 131_071, 131_072, 131_072 + Self.large, sound.count - 1]
        for offset in offsets {
            try flip(1 << UInt8.random(in: 0..<8, using: &random), at: offset)
            let error = #expect(throws: KithError.self, "byte \(offset)") { try loadAll() }
            #expect(error?.reason == .corruption)
            writeFile(folder("checkpoint"), sound)
        }
    }

    private func flip(_ bits: UInt8, at offset: Int) throws {
        let file = try #require(fopen(folder("checkpoint"), "r+"))
        defer { fclose(file) }
        fseek(file, offset, SEEK_SET)
        let byte = fgetc(file)
        fseek(file, offset, SEEK_SET)
        fputc(byte ^ Int32(bits), file)
    }

    @Test func everyOtherLengthIsFound() throws {
        try writeSample()
        let size = readFile(folder("checkpoint")).count
        var random = SeededGenerator(seed: 4)
        let cuts = (0..<40).map { _ in Int.random(in: 0..<size, using: &random) }.sorted(by: >)
        for length in [size + 1, size + 65_536, size - 1] + cuts + [24, 23, 8, 1, 0] {
            truncate(folder("checkpoint"), length)
            let error = #expect(throws: KithError.self, "\(length) bytes") { try loadAll() }
            #expect(error?.reason == .corruption)
        }
    }

    @Test func aFailedWriteKeepsTheFormerFile() throws {
        let contents = try writeSample()
        let long = String(repeating: "x", count: Limits.checkpointHeaderBytes)
        #expect(throws: KithError.self) {
            try CheckpointFile.write(to: folder("checkpoint"), attributes: [long: 1], sections: [])
        }
        #expect(throws: KithError.self) {
            try CheckpointFile.write(to: folder("nowhere/checkpoint"), attributes: [:], sections: [])
        }
        #expect(try loadAll() == contents)
    }
}
