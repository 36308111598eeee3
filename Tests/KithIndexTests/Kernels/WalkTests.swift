import CVectorKernels
import KithCore
import KithIndex
import Testing

@Suite struct WalkTests {
    private static let bounds = [
        kith_walk_bounds(window: 8, top: 1, ratio: 1.5), kith_walk_bounds(window: 16, top: 1, ratio: 2),
        kith_walk_bounds(window: 40, top: 1, ratio: 3), kith_walk_bounds(window: 150, top: 1, ratio: 6),
    ]

    @Test("a walk by stages finds and compares what walks of their own do", arguments: [1, 2, 3])
    func stages(seed: UInt64) throws {
        let graph = try WalkedGraph(seed: seed)
        var staged = Self.bounds.map { _ in Effort() }
        var alone = staged
        for query in WalkedGraph.nodes..<WalkedGraph.nodes + WalkedGraph.queries {
            let walk = Walk(graph, UInt32(query))
            walk.begin(Self.bounds[Self.bounds.count - 1])
            for (stage, bounds) in Self.bounds.enumerated() {
                kith_walk_begin_stage(&walk.walk, bounds)
                walk.finish()
                staged[stage].add(walk.ranks(Int(kith_walk_stage_count(&walk.walk))), walk.walk.compared)
                let own = Walk(graph, UInt32(query))
                own.begin(bounds)
                own.finish()
                alone[stage].add(own.ranks(Int(own.walk.count)), own.walk.compared)
            }
        }
        #expect(staged[0] == alone[0])
        for (mine, theirs) in zip(staged, alone) {
            // While a wide walk waits for comparisons it expands what a narrow one would not: the stages before were spared that.
            #expect(mine.compared <= theirs.compared)
            #expect(Double(mine.compared) >= 0.95 * Double(theirs.compared))
            #expect(Double(mine.found.intersection(theirs.found).count) >= 0.97 * Double(theirs.found.count))
        }
        // Else the stages would be one.
        #expect(staged[3].compared > 2 * staged[0].compared)
    }

    /// What walks for several queries found, and compared.
    private struct Effort: Equatable {
        var found = Set<[UInt64]>()
        var compared = 0
        private var queries: UInt64 = 0

        mutating func add(_ ranks: [UInt64], _ comparisons: UInt32) {
            for rank in ranks { found.insert([queries, rank]) }
            compared += Int(comparisons)
            queries += 1
        }
    }

    /// Random vectors, each linked with some near ones and some others.
    private final class WalkedGraph {
        static let nodes = 600
        static let queries = 50
        static let linkCapacity = 16
        private static let dimension = 8
        let rows: TestRows
        var records: kith_records
        private let memory: UnsafeMutableRawPointer
        private let entries: UnsafeMutablePointer<UInt32>
        private let entryLinks: UnsafeMutablePointer<UInt32>
        let beacons: kith_beacons

        init(seed: UInt64) throws {
            let codeBytes = Self.dimension * 4
            let stride = codeBytes + MemoryLayout<kith_node_factors>.size + Self.linkCapacity * 4
            rows = try TestRows(.test(Self.dimension), capacity: Self.nodes + Self.queries, seed: seed)
            rows.appendRandom(Self.nodes + Self.queries)
            memory = .allocate(byteCount: stride * Self.nodes, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: stride * Self.nodes)
            let bytes = memory.assumingMemoryBound(to: UInt8.self)
            let linksOffset = codeBytes + MemoryLayout<kith_node_factors>.size
            records = kith_records(
                base: bytes, stride: stride, code_bytes: UInt32(codeBytes), factors_offset: UInt32(codeBytes),
                links: bytes + linksOffset, links_stride: stride, link_capacity: UInt32(Self.linkCapacity), links_file: -1,
                capacity: UInt32(Self.nodes), dimension: UInt32(Self.dimension), code: UInt8(KITH_CODE_FULL),
                metric: Metric.l2.rawValue, compared_bytes: 0, distances: nil, distance: nil)
            try #require(kith_records_bind(&records, ElementType.float32.rawValue, nil))
            entries = .allocate(capacity: 2)
            entries.initialize(repeating: 1, count: 2)
            entryLinks = .allocate(capacity: 2 * Int(KITH_BEACON_LINKS))
            entryLinks.initialize(repeating: 0, count: 2 * Int(KITH_BEACON_LINKS))
            beacons = kith_beacons(nodes: entries, links: entryLinks, count: 1)
            for node in 0..<UInt32(Self.nodes) {
                (memory + Int(node) * stride).copyMemory(from: rows.rows.row(node), byteCount: codeBytes)
                let near = try rows.sorted(rows.rows.row(node), in: Snapshot(slotCount: UInt32(Self.nodes), position: 1))
                    .dropFirst().prefix(10).map(\.slot)
                let others = (0..<5).map { _ in UInt32.random(in: 0..<UInt32(Self.nodes), using: &rows.random) }
                let links = (memory + Int(node) * stride + linksOffset).assumingMemoryBound(to: UInt32.self)
                for (place, other) in (near + others).enumerated() { links[place] = other + 1 }
            }
        }

        deinit {
            memory.deallocate()
            entries.deallocate()
            entryLinks.deallocate()
        }

        func query(_ slot: UInt32) -> kith_node_query {
            kith_node_query(vector: rows.rows.row(slot), scale: 1, middle: 0, step: 0, sum: 0, square: 0)
        }
    }

    private final class Walk {
        private static let room = 256
        private static let seen = 1 << 12
        private let graph: WalkedGraph
        private var query: kith_node_query
        var walk = kith_walk()

        init(_ graph: WalkedGraph, _ slot: UInt32) {
            self.graph = graph
            query = graph.query(slot)
            walk.ranks = .allocate(capacity: Self.room)
            walk.seen = .allocate(capacity: Self.seen)
            walk.seen_mask = UInt32(Self.seen - 1)
            walk.nodes = .allocate(capacity: Self.room)
            walk.list = .allocate(capacity: Self.room)
            walk.distances = .allocate(capacity: Self.room)
        }

        deinit {
            walk.ranks.deallocate()
            walk.seen.deallocate()
            walk.nodes.deallocate()
            walk.list.deallocate()
            walk.distances.deallocate()
        }

        func begin(_ bounds: kith_walk_bounds) {
            withUnsafePointer(to: graph.beacons) { kith_walk_begin(&walk, &graph.records, &query, $0, bounds) }
        }

        func finish() { while !kith_walk_advance(&walk, &graph.records, &query, 7) {} }

        /// Without whether they were expanded.
        func ranks(_ count: Int) -> [UInt64] { (0..<count).map { walk.ranks[$0] & ~1 } }
    }
}
