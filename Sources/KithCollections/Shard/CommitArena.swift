import KithCore

/// Where a group keeps encoded ids and rows: appended, never moved, forgotten together. So views into it stay good for the whole group.
final class CommitArena: @unchecked Sendable {
    /// More than any group can need: its commands are bounded, and so are the rows they replace.
    private static let capacity = 64 << 30
    /// What is kept of the memory between groups.
    private static let keptBytes = 64 << 20

    private let memory: GrowableMemory
    private var used = 0
    private var scratch: [UInt8] = []

    init() throws(KithError) { memory = try GrowableMemory(capacity: CommitArena.capacity) }

    func append(_ bytes: UnsafeRawBufferPointer) -> ByteView {
        precondition(used + bytes.count <= memory.capacity, "a commit group outgrew its arena")
        let start = memory.base + used
        if let source = bytes.baseAddress { start.copyMemory(from: source, byteCount: bytes.count) }
        used += bytes.count
        return ByteView(start: start, count: bytes.count)
    }

    /// Appends what `write` encodes.
    func append(_ write: (inout [UInt8]) -> Void) -> ByteView {
        scratch.removeAll(keepingCapacity: true)
        write(&scratch)
        return scratch.withUnsafeBytes { append($0) }
    }

    func clear() {
        if used > CommitArena.keptBytes { memory.discard(from: CommitArena.keptBytes) }
        used = 0
    }
}
