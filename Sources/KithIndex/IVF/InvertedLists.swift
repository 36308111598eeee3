internal import CMemory
internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Lists of slots and their codes, in regions that grow in place: one thread appends, any number scan beside it, without a lock.
///
/// A list is a chain of chunks of 128 entries, in four blocks of 32: slots plus one, then codes (as a block of the quantizer where it has
/// such, else one after another). An entry is written before the count that covers it is stored with release.
final class InvertedLists: @unchecked Sendable {
    static let blockEntries = Int(KITH_CODES_BLOCK)
    static let chunkBlocks = 4
    static let chunkEntries = blockEntries * chunkBlocks

    let listCount: Int
    let codeBytes: Int
    /// Two words a list: the number of its entries, and its first chunk plus one.
    let heads: GrowableMemory
    /// A word a chunk: the one after it plus one.
    let links: GrowableMemory
    let chunks: GrowableMemory
    private let chunksMade = Atomic(0)
    /// Chunks there are.
    private(set) var chunkCount: Int {
        get { chunksMade.load(ordering: .relaxed) }
        set { chunksMade.store(newValue, ordering: .relaxed) }
    }
    // Of the one thread that appends.
    private(set) var entryCount = 0
    private var lastChunks: [UInt32]

    private let store: (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void

    /// Bytes from one block to the next.
    var blockStride: Int { InvertedLists.blockEntries * (4 + codeBytes) }

    init(listCount: Int, quantizer: Quantizer?, heads: GrowableMemory, links: GrowableMemory, chunks: GrowableMemory) {
        self.listCount = listCount
        let bytes = quantizer?.codeBytes ?? 0
        codeBytes = bytes
        self.heads = heads
        self.links = links
        self.chunks = chunks
        lastChunks = [UInt32](repeating: 0, count: listCount)
        if let quantizer, quantizer.blockBytes != nil {
            store = { code, block, index in quantizer.store(code, inBlock: block, at: index) }
        } else {
            store = { code, block, index in (block + index * bytes).copyMemory(from: code, byteCount: bytes) }
        }
    }

    /// Empty lists.
    convenience init(listCount: Int, quantizer: Quantizer?) throws(KithError) {
        let capacities = InvertedLists.capacities(codeBytes: quantizer?.codeBytes ?? 0)
        self.init(
            listCount: listCount, quantizer: quantizer, heads: try GrowableMemory(capacity: capacities.heads),
            links: try GrowableMemory(capacity: capacities.links), chunks: try GrowableMemory(capacity: capacities.chunks))
    }

    // MARK: Room

    var memoryBytes: Int { chunkCount * (InvertedLists.chunkBytes(codeBytes: codeBytes) + 4) + listCount * 8 }

    private static func chunkBytes(codeBytes: Int) -> Int { chunkEntries * (4 + codeBytes) }

    /// Chunks there is room for.
    private static func chunkLimit(codeBytes: Int) -> Int {
        min(Limits.regionBytes / chunkBytes(codeBytes: codeBytes), Int(Limits.graphSlots) / chunkEntries + Limits.invertedLists)
    }

    static func capacities(codeBytes: Int) -> (heads: Int, links: Int, chunks: Int) {
        let limit = chunkLimit(codeBytes: codeBytes)
        return (heads: Limits.invertedLists * 8, links: limit * 4, chunks: limit * chunkBytes(codeBytes: codeBytes))
    }

    /// Slots there is room for, however they fall into lists.
    static func slotLimit(codeBytes: Int, lists: Int) -> UInt32 {
        UInt32(min(Int(Limits.graphSlots), max(chunkLimit(codeBytes: codeBytes) - lists, 0) * chunkEntries))
    }

    // MARK: Reading

    @inline(__always)
    private func word(_ memory: GrowableMemory, _ index: Int) -> UnsafeMutablePointer<UInt32> {
        memory.base.assumingMemoryBound(to: UInt32.self) + index
    }

    /// Entries of a list.
    @inline(__always)
    func count(of list: Int) -> Int { Int(kith_load_acquire_u32(word(heads, 2 * list))) }

    /// The first chunk of a list with entries, plus one.
    @inline(__always)
    func firstChunk(of list: Int) -> UInt32 { kith_load_acquire_u32(word(heads, 2 * list + 1)) }

    /// The chunk after one, plus one; zero after the last.
    @inline(__always)
    func chunk(after chunk: UInt32) -> UInt32 { kith_load_acquire_u32(word(links, Int(chunk))) }

    @inline(__always)
    func blocks(of chunk: UInt32) -> UnsafeMutableRawPointer {
        chunks.base + Int(chunk) * InvertedLists.chunkEntries * (4 + codeBytes)
    }

    /// Calls `body` with each block of a list: its slots plus one, its codes, and how many of both there are.
    @inline(__always)
    func forEachBlock<Failure>(
        of list: Int, _ body: (UnsafePointer<UInt32>, UnsafeRawPointer, Int) throws(Failure) -> Void
    ) throws(Failure) {
        var left = count(of: list)
        guard left > 0 else { return }
        var chunk = firstChunk(of: list)
        while left > 0, chunk > 0 {
            var block = blocks(of: chunk - 1)
            chunk = self.chunk(after: chunk - 1)
            for _ in 0..<InvertedLists.chunkBlocks where left > 0 {
                let some = min(left, InvertedLists.blockEntries)
                try body(block.assumingMemoryBound(to: UInt32.self), block + 4 * InvertedLists.blockEntries, some)
                block += blockStride
                left -= some
            }
        }
    }

    // MARK: Appending

    func append(_ slot: UInt32, _ code: UnsafeRawPointer, to list: Int) {
        let count = count(of: list)
        if count % InvertedLists.chunkEntries == 0 { addChunk(to: list) }
        let place = count % InvertedLists.chunkEntries
        let index = place % InvertedLists.blockEntries
        let block = blocks(of: lastChunks[list] - 1) + place / InvertedLists.blockEntries * blockStride
        block.assumingMemoryBound(to: UInt32.self)[index] = slot + 1
        if codeBytes > 0 { store(code, block + 4 * InvertedLists.blockEntries, index) }
        kith_store_release_u32(word(heads, 2 * list), UInt32(count + 1))
        entryCount += 1
    }

    private func addChunk(to list: Int) {
        chunkCount += 1
        let added = UInt32(chunkCount)
        let last = lastChunks[list]
        kith_store_release_u32(last == 0 ? word(heads, 2 * list + 1) : word(links, Int(last - 1)), added)
        lastChunks[list] = added
    }

    /// How much longer a search in proportion to lists' lengths takes than with lists of one length: 1 is best.
    var imbalance: Double {
        var squares = 0.0
        for list in 0..<listCount {
            let count = Double(count(of: list))
            squares += count * count
        }
        return entryCount == 0 ? 1 : squares * Double(listCount) / (Double(entryCount) * Double(entryCount))
    }

    /// A slot of one of the entries, drawn by a number; nil where that entry is not filled.
    func sampledSlot(_ number: UInt64) -> UInt32? {
        guard chunkCount > 0 else { return nil }
        let entry = Int(mixBits(number) % UInt64(chunkCount * InvertedLists.chunkEntries))
        let (chunk, place) = entry.quotientAndRemainder(dividingBy: InvertedLists.chunkEntries)
        let block = blocks(of: UInt32(chunk)) + place / InvertedLists.blockEntries * blockStride
        let word = block.assumingMemoryBound(to: UInt32.self)[place % InvertedLists.blockEntries]
        return word == 0 ? nil : word - 1
    }

    // MARK: Restoring

    /// Takes over what a checkpoint says, once it has been checked. O(entries).
    ///
    /// - Throws: `CORRUPTION` when chains, counts or slots are not what appending makes.
    func adopt(chunkCount: Int, linkedCount: UInt32) throws(KithError) {
        self.chunkCount = chunkCount
        var seenChunks = [Bool](repeating: false, count: chunkCount)
        var seenSlots = [Bool](repeating: false, count: Int(linkedCount))
        entryCount = 0
        for list in 0..<listCount {
            let count = count(of: list)
            var left = count
            var chunk = firstChunk(of: list)
            while left > 0 {
                guard chunk > 0, chunk <= chunkCount, !seenChunks[Int(chunk - 1)] else {
                    throw IVFState.corrupt("list \(list) is cut off")
                }
                seenChunks[Int(chunk - 1)] = true
                lastChunks[list] = chunk
                try check(chunk - 1, entries: min(left, InvertedLists.chunkEntries), &seenSlots)
                left -= min(left, InvertedLists.chunkEntries)
                chunk = self.chunk(after: chunk - 1)
            }
            guard chunk == 0 else { throw IVFState.corrupt("list \(list) goes on behind its end") }
            entryCount += count
        }
        guard seenChunks.allSatisfy({ $0 }) else { throw IVFState.corrupt("a chunk belongs to no list") }
    }

    private func check(_ chunk: UInt32, entries: Int, _ seen: inout [Bool]) throws(KithError) {
        for place in 0..<InvertedLists.chunkEntries {
            let block = blocks(of: chunk) + place / InvertedLists.blockEntries * blockStride
            let word = block.assumingMemoryBound(to: UInt32.self)[place % InvertedLists.blockEntries]
            if place >= entries {
                guard word == 0 else { throw IVFState.corrupt("an entry behind a list's end is filled") }
            } else {
                guard word > 0, Int(word) <= seen.count, !seen[Int(word - 1)] else {
                    throw IVFState.corrupt("a slot is out of range or there twice")
                }
                seen[Int(word - 1)] = true
            }
        }
    }
}
