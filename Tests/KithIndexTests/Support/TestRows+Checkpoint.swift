import KithCore
import KithIndex
import Testing

extension TestRows {
    /// A checkpoint as a file would bring it back: copies at the start of fresh regions.
    func reread(_ checkpoint: IndexCheckpoint) throws -> RestoredCheckpoint {
        let capacities = try IndexRegistry.builtIn.maker(space.index.kind).sectionCapacities(space)
        var sections: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        for section in checkpoint.sections {
            let memory = try GrowableMemory(capacity: #require(capacities[section.name]))
            // An empty section may lie nowhere.
            if let start = section.bytes.baseAddress { memory.base.copyMemory(from: start, byteCount: section.bytes.count) }
            // What a page of a file holds after the section.
            (memory.base + section.bytes.count).storeBytes(of: 0xAB, as: UInt8.self)
            sections[section.name] = (memory, section.bytes.count)
        }
        return RestoredCheckpoint(attributes: checkpoint.attributes, sections: sections)
    }

    func restore(_ checkpoint: RestoredCheckpoint) throws -> any VectorIndex {
        try IndexRegistry.builtIn.maker(space.index.kind).restore(context, from: checkpoint)
    }
}
