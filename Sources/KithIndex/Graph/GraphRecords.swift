internal import KithCore
internal import Synchronization

/// Records made again of rows, when a graph with links apart is read back: its checkpoint has no codes.
extension Graph {
    /// The owners of all nodes, as they stand now: slots plus one, zero for a free record.
    var ownersSection: IndexCheckpoint.Section {
        SectionWords((0..<nodeCount).lazy.map { [self] node in slot(of: node).map { $0 + 1 } ?? 0 }).section("owners")
    }

    /// The nodes that wait to be linked with care, where there are any.
    var hurriedSections: [IndexCheckpoint.Section] {
        hurriedNodes.isEmpty ? [] : [SectionWords(hurriedNodes).section("hurried")]
    }

    /// Encodes the rows of the owners, on all processors.
    ///
    /// - Throws: `CORRUPTION` where an owner is not linked, `STORAGE_FAILURE` where a row cannot be read.
    func makeRecords(of owners: GrowableMemory, _ context: IndexContext) throws(KithError) {
        let owners = SharedIndices(base: owners.base.assumingMemoryBound(to: UInt32.self))
        let count = Int(nodeCount)
        for node in 0..<count where owners.base[node] > linkedCount {
            throw Self.corrupt("node \(node) is of slot \(owners.base[node] - 1), which is not linked")
        }
        let failure = FirstFailure()
        ForkJoin(threads: 0).run((count + RowBuffer.limit - 1) / RowBuffer.limit, pieceSize: 16) { [self] _, piece in
            let nodes = piece * RowBuffer.limit..<min((piece + 1) * RowBuffer.limit, count)
            do throws(KithError) { try makeRecords(nodes, of: owners.base, context) } catch { failure.note(error) }
        }
        if let error = failure.error { throw error }
    }

    private func makeRecords(
        _ nodes: Range<Int>, of owners: UnsafePointer<UInt32>, _ context: IndexContext
    ) throws(KithError) {
        let taken = nodes.filter { owners[$0] > 0 }
        let places = RowBuffer(context)
        let rows = try places.fetch(taken.map { owners[$0] - 1 }, count: taken.count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: context.space.dimension) { components in
            guard let start = components.baseAddress else { return }
            for (index, node) in taken.enumerated() {
                encode(UInt32(node), slot: owners[node] - 1, row: rows[index], components: start)
            }
        }
    }
}

/// Words on their way into a checkpoint.
private final class SectionWords {
    private let words: UnsafeMutableBufferPointer<UInt32>

    init(_ words: some Collection<UInt32>) {
        self.words = .allocate(capacity: words.count)
        _ = self.words.initialize(fromContentsOf: words)
    }

    deinit { words.deallocate() }

    func section(_ name: String) -> IndexCheckpoint.Section {
        IndexCheckpoint.Section(name: name, bytes: UnsafeRawBufferPointer(words), owner: self)
    }
}

/// The first of the failures of several threads.
private final class FirstFailure: Sendable {
    private let first = Mutex<KithError?>(nil)

    var error: KithError? { first.withLock { $0 } }
    func note(_ error: KithError) { first.withLock { $0 = $0 ?? error } }
}
