/// A binary heap of numbers with the greatest on top, in memory that is kept from one search to the next.
struct RankHeap: ~Copyable {
    private var storage: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 256
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// The greatest. The heap must not be empty.
    @inline(__always)
    var top: UInt64 { storage[0] }

    mutating func removeAll() { count = 0 }

    /// O(log n).
    @inline(__always)
    mutating func push(_ value: UInt64) {
        if count == capacity { grow() }
        var hole = count
        count += 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            if storage[parent] >= value { break }
            storage[hole] = storage[parent]
            hole = parent
        }
        storage[hole] = value
    }

    /// Puts a value in the place of the greatest. O(log n).
    @inline(__always)
    mutating func replaceTop(with value: UInt64) { sink(value) }

    @inline(__always)
    private mutating func sink(_ value: UInt64) {
        var hole = 0
        while true {
            var child = 2 * hole + 1
            if child >= count { break }
            if child + 1 < count, storage[child + 1] > storage[child] { child += 1 }
            if storage[child] <= value { break }
            storage[hole] = storage[child]
            hole = child
        }
        storage[hole] = value
    }

    /// Orders all values from the smallest; the result is a valid place to read from until the next change, and no heap.
    mutating func sorted() -> UnsafeBufferPointer<UInt64> {
        var values = UnsafeMutableBufferPointer(start: storage, count: count)
        values.sort()
        return UnsafeBufferPointer(values)
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2)
        larger.update(from: storage, count: count)
        storage.deallocate()
        storage = larger
        capacity *= 2
    }
}

/// The nearest ranks seen so far, at most `limit`.
struct NearestRanks: ~Copyable {
    private var heap = RankHeap()
    private(set) var limit = 0

    /// Empties it for a new search.
    mutating func reset(limit: Int) {
        heap.removeAll()
        self.limit = limit
    }

    @inline(__always)
    var count: Int { heap.count }

    @inline(__always)
    var isFull: Bool { heap.count >= limit }

    /// The rank that would give way to a nearer one. It must not be empty.
    @inline(__always)
    var farthest: UInt64 { heap.top }

    /// No distance above this is wanted.
    var limitDistance: Float { limit == 0 ? -.infinity : isFull ? Rank(bits: farthest).distance : .infinity }

    /// Whether the rank would be kept.
    @inline(__always)
    func wants(_ rank: Rank) -> Bool { heap.count < limit || rank.bits < heap.top }

    /// Keeps a rank that is wanted.
    @inline(__always)
    mutating func insert(_ rank: Rank) {
        if heap.count < limit { heap.push(rank.bits) } else { heap.replaceTop(with: rank.bits) }
    }

    /// Nearest first. Ends the collecting: call `reset` before the next use.
    mutating func sorted() -> UnsafeBufferPointer<UInt64> { heap.sorted() }
}
