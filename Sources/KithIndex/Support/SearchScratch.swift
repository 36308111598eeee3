internal import KithCore
internal import Synchronization

/// The memory of one search, kept for the next one, so that a warm search allocates nothing but its answer.
struct SearchScratch: ~Copyable {
    var nearest = NearestRanks()
    /// Those of the nearest whose rows were compared.
    var rescored = NearestRanks()
    /// Room for the slots and distances of one gather or one block of rows.
    let slots: UnsafeMutablePointer<UInt32>
    let distances: UnsafeMutablePointer<Float>

    /// Slots and distances there is room for.
    static let blockSize = 512

    init() {
        slots = .allocate(capacity: SearchScratch.blockSize)
        distances = .allocate(capacity: SearchScratch.blockSize)
    }

    deinit {
        slots.deallocate()
        distances.deallocate()
    }
}

/// Lends scratch memory to searches; keeps at most `Limits.searchScratches`.
final class ScratchPool: Sendable {
    /// One search at a time holds a box: the pool hands it out and takes it back whole.
    private final class Box: @unchecked Sendable {
        var scratch = SearchScratch()
    }

    private let free = Mutex<[Box]>([])

    func withScratch<Result>(
        _ body: (inout SearchScratch) throws(KithError) -> Result
    ) throws(KithError) -> Result {
        let box = free.withLock { $0.popLast() } ?? Box()
        defer {
            free.withLock { boxes in
                if boxes.count < Limits.searchScratches { boxes.append(box) }
            }
        }
        return try body(&box.scratch)
    }
}
