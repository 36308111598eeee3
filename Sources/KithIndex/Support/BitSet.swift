/// A set of small numbers, of nodes or slots, as bits. It grows with the largest.
struct BitSet {
    private var words: [UInt64] = []

    /// Whether it was not there before.
    @discardableResult
    mutating func insert(_ number: UInt32) -> Bool {
        let index = Int(number / 64)
        if index >= words.count { words += Array(repeating: 0, count: index + 1 - words.count) }
        let bit: UInt64 = 1 << UInt64(number % 64)
        defer { words[index] |= bit }
        return words[index] & bit == 0
    }

    func contains(_ number: UInt32) -> Bool {
        let index = Int(number / 64)
        return index < words.count && words[index] >> UInt64(number % 64) & 1 == 1
    }

    mutating func remove(_ number: UInt32) {
        let index = Int(number / 64)
        if index < words.count { words[index] &= ~(1 << UInt64(number % 64)) }
    }

    mutating func removeAll() { words.removeAll(keepingCapacity: true) }

    var elements: [UInt32] {
        words.indices.filter { words[$0] != 0 }.flatMap { index in
            (0..<64).filter { words[index] >> UInt64($0) & 1 == 1 }.map { UInt32(index * 64 + $0) }
        }
    }
}
