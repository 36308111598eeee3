internal import CMemory
internal import KithCore
internal import Synchronization

/// A model and the lists made with it: what a search retains, and what a retraining replaces whole.
final class IVFState: Sendable {
    let model: IVFModel
    let lists: InvertedLists
    private let linked: Atomic<UInt32>

    init(model: IVFModel, lists: InvertedLists, linkedCount: UInt32 = 0) {
        self.model = model
        self.lists = lists
        linked = Atomic(linkedCount)
    }

    convenience init(_ model: IVFModel) throws(KithError) {
        self.init(model: model, lists: try InvertedLists(listCount: model.listCount, quantizer: model.quantizer))
    }

    var linkedCount: UInt32 { linked.load(ordering: .acquiring) }

    func publish(linkedCount: UInt32) { linked.store(linkedCount, ordering: .releasing) }

    var slotLimit: UInt32 { InvertedLists.slotLimit(codeBytes: lists.codeBytes, lists: model.listCount) }

    /// Of centres, and of lists with their codes.
    var memoryBytes: Int { model.bytes.view.bytes.count + MemoryLayout<Float>.size * model.centres.count + lists.memoryBytes }

    static func corrupt(_ description: String) -> KithError {
        KithError(.dataLoss, .corruption, "the checkpoint of inverted lists is damaged: \(description)")
    }

    // MARK: Checkpoint

    /// Raised when the layout of the sections changes.
    static let format: UInt64 = 1

    func checkpoint() -> IndexCheckpoint {
        func section(_ name: String, _ memory: GrowableMemory, _ count: Int) -> IndexCheckpoint.Section {
            IndexCheckpoint.Section(name: name, bytes: UnsafeRawBufferPointer(start: memory.base, count: count))
        }
        return IndexCheckpoint(
            attributes: [
                "format": IVFState.format, "linked": UInt64(linkedCount), "lists": UInt64(model.listCount),
                "chunks": UInt64(lists.chunkCount), "code_bytes": UInt64(lists.codeBytes),
            ],
            sections: [
                IndexCheckpoint.Section(name: "model", bytes: model.bytes.view.bytes),
                section("heads", lists.heads, model.listCount * 8),
                section("links", lists.links, lists.chunkCount * 4),
                section("chunks", lists.chunks, lists.chunkCount * InvertedLists.chunkEntries * (4 + lists.codeBytes)),
            ])
    }

    /// Nothing has been learned yet.
    static var emptyCheckpoint: IndexCheckpoint {
        IndexCheckpoint(
            attributes: ["format": IVFState.format, "linked": 0, "lists": 0, "chunks": 0, "code_bytes": 0],
            sections: ["model", "heads", "links", "chunks"].map {
                IndexCheckpoint.Section(name: $0, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
            })
    }

    /// Nil when nothing had been learned.
    ///
    /// - Throws: `CORRUPTION` when anything does not fit. O(entries).
    static func restore(
        _ context: IndexContext, _ parameters: IVFParameters, _ registry: QuantizerRegistry, _ checkpoint: RestoredCheckpoint
    ) throws(KithError) -> IVFState? {
        let attributes = checkpoint.attributes
        guard attributes["format"] == format, let linked = attributes["linked"], linked <= Limits.graphSlots,
            let listCount = attributes["lists"], listCount <= Limits.invertedLists, let chunkCount = attributes["chunks"],
            chunkCount <= UInt64(Int(Limits.graphSlots)), let codeBytes = attributes["code_bytes"]
        else { throw corrupt("its attributes do not fit") }
        func section(_ name: String, _ byteCount: Int, _ capacity: Int) throws(KithError) -> GrowableMemory {
            guard let memory = checkpoint.memory(name, byteCount: byteCount, capacity: capacity) else {
                throw corrupt("section \(name) does not fit")
            }
            return memory
        }
        guard let model = checkpoint.sections["model"] else { throw corrupt("it has no model") }
        if listCount == 0 {
            guard linked == 0, chunkCount == 0, codeBytes == 0, model.byteCount == 0 else { throw corrupt("it is of two minds") }
            for name in ["heads", "links", "chunks"] { _ = try section(name, 0, 0) }
            return nil
        }
        let learned = try IVFModel(
            UnsafeRawBufferPointer(start: model.memory.base, count: model.byteCount), context.space, parameters, registry)
        guard learned.listCount == Int(listCount), codeBytes == UInt64(learned.quantizer?.codeBytes ?? 0) else {
            throw corrupt("its model does not fit its lists")
        }
        let capacities = InvertedLists.capacities(codeBytes: Int(codeBytes))
        let chunkBytes = InvertedLists.chunkEntries * (4 + Int(codeBytes))
        guard Int(chunkCount) <= capacities.chunks / chunkBytes else { throw corrupt("it has too many chunks") }
        let lists = InvertedLists(
            listCount: Int(listCount), quantizer: learned.quantizer,
            heads: try section("heads", Int(listCount) * 8, capacities.heads),
            links: try section("links", Int(chunkCount) * 4, capacities.links),
            chunks: try section("chunks", Int(chunkCount) * chunkBytes, capacities.chunks))
        try lists.adopt(chunkCount: Int(chunkCount), linkedCount: UInt32(linked))
        return IVFState(model: learned, lists: lists, linkedCount: UInt32(linked))
    }
}
