internal import KithCore

extension RestoredCheckpoint {
    /// The region of a section, ready to grow; nil unless the section has `byteCount` bytes and the region room for `capacity`.
    func memory(_ name: String, byteCount: Int, capacity: Int) -> GrowableMemory? {
        guard let section = sections[name], section.byteCount == byteCount, section.memory.capacity >= capacity else {
            return nil
        }
        section.memory.zeroPage(after: byteCount)
        return section.memory
    }
}

extension GrowableMemory {
    /// Zeroes the rest of the last page that `count` bytes of a file reach into: it holds what follows in the file, and
    /// memory that was never written must be zero.
    fileprivate func zeroPage(after count: Int) {
        let end = min((count + GrowableMemory.pageSize - 1) / GrowableMemory.pageSize * GrowableMemory.pageSize, capacity)
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: end - count)
    }
}
