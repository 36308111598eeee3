import KithCore
import KithIndex
import Testing

@Suite struct GraphCheckpointTests {
    @Test("a restored graph answers and grows as the one that was saved", arguments: ["graph", "disk_graph"])
    func restores(_ kind: String) throws {
        let test = try TestRows(.test(12, .float32, .l2, index: kind, ["search_window": "60"]), capacity: 12_000)
        test.appendRandom(12_000)
        let index = try test.makeIndex()
        while try index.link(upTo: 9_001, limit: 5_000) < 9_001 {}
        let restored = try test.restore(test.reread(index.checkpoint()))
        #expect(restored.linkedCount == 9_001)
        for round in 0..<2 {
            for _ in 0..<30 {
                let query = IndexQuery(vector: test.randomQuery(), topK: 10)
                #expect(try restored.search(query, in: test.snapshot()) == index.search(query, in: test.snapshot()))
            }
            guard round == 0 else { break }
            try index.linkAll(upTo: 12_000)
            try restored.linkAll(upTo: 12_000)
            try (restored as? GraphIndex)?.checkInvariants()
        }
    }

    @Test func restoresAnEmptyGraph() throws {
        let test = try TestRows(.test(4), capacity: 100)
        let restored = try test.restore(test.reread(test.makeIndex().checkpoint()))
        test.appendRandom(100)
        try restored.linkAll(upTo: 100)
        #expect(restored.linkedCount == 100)
    }

    @Test("damage is found before anything is believed")
    func rejectsDamage() throws {
        let test = try TestRows(.test(4), capacity: 1_000)
        test.appendRandom(1_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 1_000)
        let saved = index.checkpoint()
        _ = try test.restore(test.reread(saved))

        for name in saved.attributes.keys {
            for value in [nil, UInt64.max] {
                var damaged = try test.reread(saved)
                damaged.attributes[name] = value
                #expect(throws: KithError.self, "\(name) \(String(describing: value))") { try test.restore(damaged) }
            }
        }
        let stride = Int(try #require(saved.attributes["stride"]))
        // Four bytes of code, sixteen about it, whose it is, then links.
        let offsets = ["records": [20, 24, 20 + 500 * stride, 24 + 500 * stride], "beacons": [0, 8], "beacon_links": [0, 8]]
        for section in saved.sections {
            var missing = try test.reread(saved)
            missing.sections[section.name] = nil
            #expect(throws: KithError.self) { try test.restore(missing) }
            var short = try test.reread(saved)
            short.sections[section.name]?.byteCount -= 4
            #expect(throws: KithError.self) { try test.restore(short) }
            if section.name == "records" {
                var small = try test.reread(saved)
                small.sections[section.name]?.memory = try GrowableMemory(capacity: 4_096)
                #expect(throws: KithError.self) { try test.restore(small) }
            }
            for offset in try #require(offsets[section.name]) {
                let wild = try test.reread(saved)
                wild.sections[section.name]?.memory.base.storeBytes(of: 0xFFFF_FFF0, toByteOffset: offset, as: UInt32.self)
                let error = #expect(throws: KithError.self, "\(section.name) at \(offset)") { try test.restore(wild) }
                #expect(error?.reason == .corruption)
            }
        }
    }

    @Test("whole bytes that contradict one another are refused")
    func rejectsContradictions() throws {
        let test = try TestRows(.test(4), capacity: 1_000)
        test.appendRandom(1_000)
        for slot in 0..<10 { test.deaths.kill(UInt32(slot), at: 1) }
        let index = try test.makeIndex()
        try index.linkAll(upTo: 1_000)
        let saved = index.checkpoint()
        #expect(saved.attributes["left_out"] == 10)
        func refused(_ says: String, _ change: (inout RestoredCheckpoint) throws -> Void) throws {
            var forged = try test.reread(saved)
            try change(&forged)
            let error = #expect(throws: KithError.self, "\(says)") { try test.restore(forged) }
            #expect(error?.reason == .corruption && error?.description.contains(says) == true, "\(String(describing: error))")
        }
        let stride = Int(try #require(saved.attributes["stride"]))
        // Behind four bytes of code and sixteen about it.
        func setOwner(_ node: Int, _ word: UInt32, _ forged: RestoredCheckpoint) {
            forged.sections["records"]?.memory.base.storeBytes(of: word, toByteOffset: node * stride + 20, as: UInt32.self)
        }
        try refused("which has another") { setOwner(5, 100, $0) }
        try refused("which is not linked") { setOwner(5, 1_001, $0) }
        try refused("are to have none") { $0.attributes["linked"] = 1_001 }
        try refused("are to have none") { $0.attributes["left_out"] = 9 }
        // A slot loses its node, and nobody counts it.
        try refused("are to have none") { setOwner(5, 0, $0) }
    }

    @Test("a graph with any damaged byte is refused or harmless", arguments: ["graph", "disk_graph"])
    func survivesAnyDamage(_ kind: String) throws {
        let test = try TestRows(.test(4, .float32, .l2, index: kind, ["search_window": "10", "degree": "8"]), capacity: 1_000)
        test.appendRandom(1_000)
        let index = try test.makeIndex()
        while try index.link(upTo: 900, limit: 900) < 900 {}
        let saved = index.checkpoint()
        var random = SeededRandom(5)
        for _ in 0..<1_000 {
            let damaged = try test.reread(saved)
            let section = try #require(saved.sections.randomElement(using: &random))
            let offset = Int.random(in: 0..<section.bytes.count, using: &random)
            damaged.sections[section.name]?.memory.base.storeBytes(
                of: UInt8.random(in: 0...255, using: &random), toByteOffset: offset, as: UInt8.self)
            do {
                let restored = try test.restore(damaged)
                try restored.linkAll(upTo: 1_000)
                _ = try restored.search(IndexQuery(vector: test.randomQuery(), topK: 10), in: test.snapshot())
            } catch let error as KithError {
                #expect(error.reason == .corruption)
            }
        }
    }
}
