/// One bit a slot, borrowed from the `SlotFilter` that owns it.
package struct SlotBits {
    private let words: UnsafeMutablePointer<UInt64>
    private let slotCount: UInt32

    /// All zero.
    init(slotCount: Int) {
        // Whole containers, so that each can be copied in as it is.
        let wordCount = slotCount.roundedUp(toContainersOf: SlotBits.containerSlots) / 64
        words = .allocate(capacity: max(wordCount, 1))
        words.initialize(repeating: 0, count: max(wordCount, 1))
        self.slotCount = UInt32(slotCount)
    }

    func deallocate() { words.deallocate() }

    @inline(__always)
    package func contains(_ slot: UInt32) -> Bool {
        slot < slotCount && words[Int(slot >> 6)] & (1 << UInt64(slot & 63)) != 0
    }

    // MARK: Filling

    private static let containerSlots = 1 << 16
    /// A container of more slots than this is written as bits, one of fewer as a list.
    private static let longestList = 4_096
    /// The first number of a bitmap without runs, and of one with them.
    private static let cookies = (plain: UInt32(12_346), runs: UInt32(12_347))
    /// Bitmaps with runs say where containers begin only from this many on.
    private static let offsetsFrom = 4

    /// Reads Roaring's portable format (github.com/RoaringBitmap/RoaringFormatSpec), as this process has just written it:
    /// containers of bits are copied, which is far cheaper than setting bits one by one.
    func fill(portable bytes: UnsafeRawBufferPointer) {
        var at = 0
        func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
            defer { at += MemoryLayout<Number>.size }
            return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: type))
        }
        let cookie = number(UInt32.self)
        let hasRuns = cookie & 0xFFFF == SlotBits.cookies.runs
        let count = hasRuns ? Int(cookie >> 16) + 1 : Int(number(UInt32.self))
        let runFlags = at
        if hasRuns { at += (count + 7) / 8 }
        let descriptions = at
        at += 4 * count
        if !hasRuns || count >= SlotBits.offsetsFrom { at += 4 * count }
        for container in 0..<count {
            let description = bytes.loadUnaligned(fromByteOffset: descriptions + 4 * container, as: UInt32.self).littleEndian
            let target = words + Int(description & 0xFFFF) * (SlotBits.containerSlots / 64)
            let cardinality = Int(description >> 16) + 1
            if hasRuns, bytes[runFlags + container / 8] & (1 << UInt8(container % 8)) != 0 {
                for _ in 0..<number(UInt16.self) {
                    let first = Int(number(UInt16.self))
                    SlotBits.set(first...first + Int(number(UInt16.self)), in: target)
                }
            } else if cardinality > SlotBits.longestList {
                UnsafeMutableRawPointer(target)
                    .copyMemory(from: bytes.baseAddress! + at, byteCount: SlotBits.containerSlots / 8)
                at += SlotBits.containerSlots / 8
            } else {
                for _ in 0..<cardinality {
                    let slot = number(UInt16.self)
                    target[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
                }
            }
        }
    }

    private static func set(_ range: ClosedRange<Int>, in words: UnsafeMutablePointer<UInt64>) {
        for word in range.lowerBound / 64...range.upperBound / 64 {
            let first = max(range.lowerBound - word * 64, 0)
            let last = min(range.upperBound - word * 64, 63)
            words[word] |= (UInt64.max >> UInt64(63 - (last - first))) << UInt64(first)
        }
    }
}

extension Int {
    fileprivate func roundedUp(toContainersOf size: Int) -> Int { (self + size - 1) / size * size }
}
