import Foundation
import KithCore
import KithIndex
import KithStorage

/// An index over a set of vectors, everything linked, and what making it cost.
struct BuiltIndex: Sendable {
    let index: any VectorIndex
    let definition: IndexDefinition
    let seconds: Double
    /// Bytes by which the process grew; files that are mapped count as far as they are in memory.
    let residentBytes: Int

    /// Slots linked in one call. The index spreads them over as many threads as it links with.
    private static let slotsPerCall = 16_384

    init(_ definition: IndexDefinition, over set: VectorSet) throws(KithError) {
        self.definition = definition
        var context = set.context
        context.space.index = definition
        let maker = try IndexRegistry.builtIn.maker(definition.kind)
        try maker.check(context.space)
        let before = ProcessUsage.residentBytes()
        let began = ContinuousClock.now
        index = try maker.make(context)
        try BuiltIndex.link(index, upTo: set.snapshot.slotCount)
        seconds = (ContinuousClock.now - began).seconds
        residentBytes = max(0, ProcessUsage.residentBytes() - before)
    }

    /// Links until there is nothing left to do.
    static func link(_ index: any VectorIndex, upTo slotCount: UInt32) throws(KithError) {
        while index.hasWork(upTo: slotCount) { _ = try index.link(upTo: slotCount, limit: slotsPerCall) }
    }

    /// Bytes of disk that the index takes beside the vectors: those of its checkpoint, which is written and removed.
    func diskBytes() throws(KithError) -> Int {
        let folder = try TemporaryFolder()
        let checkpoint = index.checkpoint()
        defer { withExtendedLifetime(checkpoint) {} }
        try CheckpointFile.write(
            to: "\(folder.path)/checkpoint", attributes: checkpoint.attributes,
            sections: checkpoint.sections.map { CheckpointFile.Section(name: $0.name, bytes: $0.bytes) })
        return Files.diskBytes(folder.path)
    }

    /// An exact index has nothing to tune.
    var isExact: Bool { index.linkableSlots == 0 }
}
