import KithCore
import KithIndex
import Testing

@Suite struct IVFCheckpointTests {
    /// A checkpoint as a file would bring it back: copies at the start of fresh regions.
    private func reread(_ checkpoint: IndexCheckpoint, _ space: VectorSpace) throws -> RestoredCheckpoint {
        let capacities = try IndexRegistry.builtIn.maker(space.index.kind).sectionCapacities(space)
        var sections: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        for section in checkpoint.sections {
            let memory = try GrowableMemory(capacity: #require(capacities[section.name]))
            if let base = section.bytes.baseAddress { memory.base.copyMemory(from: base, byteCount: section.bytes.count) }
            // What a page of a file holds after the section.
            (memory.base + section.bytes.count).storeBytes(of: 0xAB, as: UInt8.self)
            sections[section.name] = (memory, section.bytes.count)
        }
        return RestoredCheckpoint(attributes: checkpoint.attributes, sections: sections)
    }

    private func restore(_ test: TestRows, _ checkpoint: RestoredCheckpoint) throws -> any VectorIndex {
        try IndexRegistry.builtIn.maker(test.space.index.kind).restore(test.context, from: checkpoint)
    }

    @Test("restored lists answer and grow as those that were saved", arguments: IVFCase.all)
    func restores(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(20), capacity: 3_000)
        rows.appendClustered(3_000)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 2_000)
        let restored = try restore(rows, reread(index.checkpoint(), rows.space))
        #expect(restored.linkedCount == 2_000)
        for count in [2_000, 3_000] as [UInt32] {
            try index.linkAll(upTo: count)
            try restored.linkAll(upTo: count)
            try (restored as? IVFIndex)?.checkInvariants()
            for _ in 0..<20 {
                let query = IndexQuery(vector: rows.randomQuery(), topK: 10, effort: 5)
                #expect(try restored.search(query, in: rows.snapshot()) == index.search(query, in: rows.snapshot()))
            }
        }
    }

    @Test("nothing learned yet is nothing to restore", arguments: IVFCase.all)
    func restoresNothing(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(4), capacity: 1_000)
        let restored = try restore(rows, reread(rows.makeIndex().checkpoint(), rows.space))
        rows.appendRandom(1_000)
        try restored.linkAll(upTo: 1_000)
        #expect(restored.linkedCount == 1_000)
    }

    @Test("damage is found before anything is believed", arguments: IVFCase.all)
    func rejectsDamage(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(4), capacity: 1_000)
        rows.appendRandom(1_000)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 1_000)
        let saved = index.checkpoint()
        _ = try restore(rows, reread(saved, rows.space))
        for name in ["chunks", "code_bytes", "format", "linked", "lists"] {
            for value in [nil, UInt64.max, UInt64(7_777)] {
                var damaged = try reread(saved, rows.space)
                damaged.attributes[name] = value
                let isLongerTail = name == "linked" && value == 7_777
                guard !isLongerTail else { continue }
                #expect(throws: KithError.self, "\(name) \(String(describing: value))") { try restore(rows, damaged) }
            }
        }
        for section in saved.sections {
            var missing = try reread(saved, rows.space)
            missing.sections[section.name] = nil
            #expect(throws: KithError.self) { try restore(rows, missing) }
            var short = try reread(saved, rows.space)
            short.sections[section.name]?.byteCount -= 4
            #expect(throws: KithError.self) { try restore(rows, short) }
            var small = try reread(saved, rows.space)
            if section.name != "model" {
                small.sections[section.name]?.memory = try GrowableMemory(capacity: 4_096)
                #expect(throws: KithError.self) { try restore(rows, small) }
            }
            let wild = try reread(saved, rows.space)
            wild.sections[section.name]?.memory.base.storeBytes(of: 0xFFFF_FFF0, as: UInt32.self)
            let error = #expect(throws: KithError.self, "\(section.name)") { try restore(rows, wild) }
            #expect(error?.reason == .corruption)
        }
    }

    @Test("lists with any damaged byte are refused or harmless", arguments: IVFCase.all)
    func survivesAnyDamage(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(4, trainAt: 256), capacity: 500)
        rows.appendRandom(500)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 400)
        let saved = index.checkpoint()
        var random = SeededRandom(5)
        for _ in 0..<300 {
            let damaged = try reread(saved, rows.space)
            let section = try #require(saved.sections.randomElement(using: &random))
            let offset = Int.random(in: 0..<section.bytes.count, using: &random)
            damaged.sections[section.name]?.memory.base.storeBytes(
                of: UInt8.random(in: 0...255, using: &random), toByteOffset: offset, as: UInt8.self)
            do {
                let restored = try restore(rows, damaged)
                try restored.linkAll(upTo: 500)
                _ = try restored.search(IndexQuery(vector: rows.randomQuery(), topK: 10), in: rows.snapshot())
            } catch let error as KithError {
                #expect(error.reason == .corruption)
            }
        }
    }
}
