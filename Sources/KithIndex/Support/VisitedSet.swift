/// Which slots a walk has seen. Clearing it costs one addition: a slot counts only under the current epoch's tag.
struct VisitedSet: ~Copyable {
    private var tags: UnsafeMutablePointer<UInt16>
    private(set) var capacity = 0
    private var epoch: UInt16 = 0

    init() { tags = .allocate(capacity: 1) }

    deinit { tags.deallocate() }

    /// Forgets everything, and makes room for slots below `count`.
    mutating func reset(count: Int) {
        if count > capacity {
            tags.deallocate()
            // An eighth more than asked, so that a growing graph does not cost an allocation a search.
            capacity = count + count / 8 + 1024
            tags = .allocate(capacity: capacity)
            tags.initialize(repeating: 0, count: capacity)
            epoch = 0
        }
        if epoch == .max {
            tags.update(repeating: 0, count: capacity)
            epoch = 0
        }
        epoch += 1
    }

    /// Whether the slot is seen for the first time. Slots beyond the room, linked since the walk began, never are.
    @inline(__always)
    mutating func insert(_ slot: UInt32) -> Bool {
        let index = Int(slot)
        if index >= capacity || tags[index] == epoch { return false }
        tags[index] = epoch
        return true
    }
}
