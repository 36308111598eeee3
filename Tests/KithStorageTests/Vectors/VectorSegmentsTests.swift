import Glibc
import KithCore
import KithStorage
import Testing
import TestSupport

@Suite struct VectorSegmentsTests {
    let folder = TemporaryFolder()

    private func open(stride: Int, vectorBytes: Int, segmentBytes: Int = 1 << 16) throws -> VectorSegments {
        try VectorSegments(
            directory: folder("vectors"), stride: stride, vectorBytes: vectorBytes, segmentBytes: segmentBytes,
            regionBytes: 1 << 28)
    }

    /// The vector that belongs in a row.
    private func vector(_ row: Int, _ count: Int) -> [UInt8] {
        var random = SeededGenerator(seed: UInt64(row))
        return random.bytes(count)
    }

    private func write(_ rows: Range<Int>, to segments: VectorSegments) throws {
        let owners = rows.map { OwnedBytes(vector($0, segments.vectorBytes)) }
        try segments.write(owners.map(\.view), at: UInt32(rows.lowerBound))
        withExtendedLifetime(owners) {}
    }

    @Test(arguments: [(1536, 1536), (1536, 1500), (64, 64), (16, 16), (32, 17), (1, 1), (192, 130), (8, 5)])
    func rowsCrossSegmentsAndSurviveReopening(stride: Int, vectorBytes: Int) throws {
        let rowsPerSegment = rowsPerSegment(stride)
        let count = rowsPerSegment * 2 + 10
        let groups = [0..<3, 3..<rowsPerSegment - 1, rowsPerSegment - 1..<rowsPerSegment + 1, rowsPerSegment + 1..<count]
        do {
            let segments = try open(stride: stride, vectorBytes: vectorBytes)
            for rows in groups { try write(rows, to: segments) }
            try segments.sync()
            #expect(Array(segments.read(2).bytes) == vector(2, vectorBytes))
        }
        let segments = try open(stride: stride, vectorBytes: vectorBytes)
        for row in [0, 1, 2, 3, rowsPerSegment - 1, rowsPerSegment, rowsPerSegment + 1, 2 * rowsPerSegment, count - 1] {
            #expect(Array(segments.read(UInt32(row)).bytes) == vector(row, vectorBytes))
            let padding = UnsafeRawBufferPointer(start: segments.base + row * stride + vectorBytes, count: stride - vectorBytes)
            #expect(padding.allSatisfy { $0 == 0 })
        }
        #expect(segments.read(UInt32(count)).bytes.allSatisfy { $0 == 0 })
        #expect(try Directory.names(in: folder("vectors")).count == 4)
    }

    @Test("rows are read from their files as they are mapped, cached or not")
    func readsRows() throws {
        let segments = try open(stride: 192, vectorBytes: 130)
        let count = segments.rowsPerSegment * 2 + 10
        try write(0..<count, to: segments)
        try segments.sync()
        let slots = [0, 5, segments.rowsPerSegment - 1, segments.rowsPerSegment, count - 1, 3].map(UInt32.init)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slots.count * 192, alignment: 64)
        defer { buffer.deallocate() }
        for round in 0..<2 {
            // The second time the disk has to be asked, where the kernel lets go of its pages.
            if round == 1 { for segment in 0..<segments.segmentCount { try dropCache(segment) } }
            try slots.withUnsafeBufferPointer { try segments.read($0, into: buffer.baseAddress!) }
            for (index, slot) in slots.enumerated() {
                #expect(Array(buffer[index * 192..<index * 192 + 130]) == vector(Int(slot), 130))
            }
        }
        for segment in 0..<segments.segmentCount { segments.releasePages(segment: segment) }
        #expect(Array(segments.read(5).bytes) == vector(5, 130))
        let beyond = [UInt32(segments.rowsPerSegment * 3)]
        #expect(throws: KithError.self) {
            try beyond.withUnsafeBufferPointer { try segments.read($0, into: buffer.baseAddress!) }
        }
    }

    private func dropCache(_ segment: Int) throws {
        let file = Glibc.open("\(folder("vectors"))/0000000\(segment).vectors", O_RDONLY)
        defer { close(file) }
        #expect(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0)
    }

    /// The least multiple of rows that ends at a multiple of 64 KiB.
    private func rowsPerSegment(_ stride: Int) -> Int {
        var rows = 1
        while rows * stride % (1 << 16) != 0 { rows += 1 }
        return max(1, (1 << 16) / (rows * stride)) * rows
    }

    @Test func oldPointersSeeNewRows() throws {
        let segments = try open(stride: 64, vectorBytes: 64)
        let base = segments.base
        try write(0..<10, to: segments)
        try write(5000..<5010, to: segments)
        #expect(segments.base == base)
        #expect(Array(UnsafeRawBufferPointer(start: base + 5003 * 64, count: 64)) == vector(5003, 64))
    }

    @Test func anyRowNumberCanBeRead() throws {
        let segments = try open(stride: 64, vectorBytes: 64)
        #expect(segments.read(segments.capacity - 1).bytes.allSatisfy { $0 == 0 })
        #expect(segments.read(segments.capacity).isEmpty)
        #expect(segments.read(.max).isEmpty)
    }

    @Test func theCapacityIsALimit() throws {
        let segments = try open(stride: 64, vectorBytes: 64)
        let error = #expect(throws: KithError.self) {
            try write(Int(segments.capacity) - 1..<Int(segments.capacity) + 1, to: segments)
        }
        #expect(error?.code == .resourceExhausted)
        #expect(throws: KithError.self) { try segments.write([.empty], at: 0) }
    }

    @Test func releasedRowsGiveDiskBackAndNeighboursStay() throws {
        let segments = try open(stride: 1024, vectorBytes: 1024)
        try write(0..<512, to: segments)
        try segments.sync()
        let before = segments.diskBytes
        #expect(before >= 512 << 10)
        segments.release(slots: 3..<509)
        #expect(segments.diskBytes < before / 4)
        for row in [0, 1, 2, 509, 510, 511] { #expect(Array(segments.read(UInt32(row)).bytes) == vector(row, 1024)) }
        #expect(segments.read(4).bytes.allSatisfy { $0 == 0 })
        segments.release(slots: 600..<segments.capacity)
    }

    @Test func aSmallSpaceTakesLittleDisk() throws {
        let segments = try open(stride: 1536, vectorBytes: 1536, segmentBytes: Limits.segmentBytes)
        try write(0..<3, to: segments)
        try segments.sync()
        #expect(segments.diskBytes <= 2 << 20)
    }

    @Test func otherRowsThanTheFolderWasMadeForAreRefused() throws {
        _ = try open(stride: 64, vectorBytes: 64)
        for (stride, vectorBytes) in [(128, 128), (64, 60)] {
            let error = #expect(throws: KithError.self) { try open(stride: stride, vectorBytes: vectorBytes) }
            #expect(error?.reason == .corruption)
            #expect(error?.message.contains(folder("vectors/segments")) == true)
        }
        // The size of segments may be chosen anew only by new folders.
        try write(0..<2000, to: open(stride: 64, vectorBytes: 64, segmentBytes: 1 << 20))
        #expect(try Directory.names(in: folder("vectors")).count == 3)
    }

    @Test(arguments: ["missing", "cut", "description", "no description", "long"])
    func damageIsNamed(_ damage: String) throws {
        try write(0..<4000, to: open(stride: 64, vectorBytes: 64))
        var path = folder("vectors/00000001.vectors")
        switch damage {
        case "missing": unlink(path)
        case "cut": truncate(path, 1 << 15)
        case "long": truncate(path, 1 << 17)
        case "no description":
            path = folder("vectors/segments")
            unlink(path)
        default:
            path = folder("vectors/segments")
            var bytes = readFile(path)
            bytes[20] ^= 1
            writeFile(path, bytes)
        }
        let error = #expect(throws: KithError.self) { try open(stride: 64, vectorBytes: 64) }
        #expect(error?.reason == .corruption)
        #expect(error?.message.contains(path) == true)
    }

    @Test func anUnfinishedSegmentIsForgotten() throws {
        try write(0..<10, to: open(stride: 64, vectorBytes: 64))
        writeFile(folder("vectors/00000001.vectors.new"), [1, 2, 3])
        let segments = try open(stride: 64, vectorBytes: 64)
        try write(1020..<1030, to: segments)
        #expect(Array(segments.read(1029).bytes) == vector(1029, 64))
        #expect(Array(segments.read(9).bytes) == vector(9, 64))
    }

    @Test func aLostFolderIsAnErrorThatNamesThePath() throws {
        let segments = try open(stride: 64, vectorBytes: 64)
        try Directory.remove(folder("vectors"))
        let error = #expect(throws: KithError.self) { try write(0..<10, to: segments) }
        #expect(error?.reason == .storageFailure)
        #expect(error?.message.contains(folder("vectors")) == true)
        #expect(segments.diskBytes == 0)
    }

    @Test func afterAFailedSyncNothingIsClaimed() throws {
        let segments = try open(stride: 64, vectorBytes: 64)
        try write(0..<10, to: segments)
        try Directory.remove(folder("vectors"))
        #expect(throws: KithError.self) { try segments.sync() }
        #expect(throws: KithError.self) { try segments.sync() }
        #expect(throws: KithError.self) { try write(10..<20, to: segments) }
    }
}
