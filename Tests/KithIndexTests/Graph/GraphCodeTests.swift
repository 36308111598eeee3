import CVectorKernels
import KithCore
import KithIndex
import Testing

/// What walks compare, against the rows themselves.
@Suite struct GraphCodeTests {
    /// Records without links, of `count` random rows.
    private final class Records {
        let test: TestRows
        var records: kith_records
        private let memory: UnsafeMutablePointer<UInt8>
        let components: UnsafeMutablePointer<Float>
        let bytes: UnsafeMutablePointer<Int8>

        init(_ space: VectorSpace, code: Int, count: Int) throws {
            test = try TestRows(space, capacity: count)
            test.appendRandom(count)
            let codeBytes = kith_node_bytes(UInt8(code), space.element.rawValue, space.dimension)
            let factors = (codeBytes + 3) / 4 * 4
            let stride = (factors + MemoryLayout<kith_node_factors>.size + 63) / 64 * 64
            memory = .allocate(capacity: stride * count + 64)
            components = .allocate(capacity: space.dimension)
            bytes = .allocate(capacity: max(kith_node_query_bytes(UInt8(code), space.dimension), 1))
            records = kith_records(
                base: memory, stride: stride, code_bytes: UInt32(codeBytes), factors_offset: UInt32(factors), links: memory,
                links_stride: stride, link_capacity: 0, links_file: -1, capacity: 0, dimension: UInt32(space.dimension),
                code: UInt8(code), metric: space.metric.rawValue,
                compared_bytes: 0, distances: nil, distance: nil)
            let bound = kith_records_bind(&records, space.element.rawValue, nil)
            #expect(bound)
            for slot in 0..<UInt32(count) {
                let record = memory + Int(slot) * stride
                kith_node_encode(
                    &records, space.element.rawValue, test.rows.row(slot), components, record,
                    UnsafeMutableRawPointer(record + factors).assumingMemoryBound(to: kith_node_factors.self))
            }
        }

        deinit {
            memory.deallocate()
            components.deallocate()
            bytes.deallocate()
        }

        /// By the instruction set of `level`; nil: the best there is.
        func distances(_ query: kith_node_query, level: UInt8? = nil) throws -> [Float] {
            var query = query
            var records = records
            if let level { try #require(kith_records_bind_at(level, &records, test.space.element.rawValue, nil)) }
            let nodes = Array(0..<test.count)
            var out = [Float](repeating: .nan, count: nodes.count)
            let compare = try #require(records.distances)
            compare(&records, &query, nodes, nodes.count, &out)
            return out
        }

        func exact(_ row: UnsafeRawPointer) throws -> [Float] {
            let found = try test.sorted(row, in: test.snapshot())
            return found.sorted { $0.slot < $1.slot }.map(\.distance)
        }
    }

    /// Components are up to 1, or 255: products of so many are off by about the square root of their number of steps.
    private static func tolerance(_ space: VectorSpace, code: Int) -> Float {
        let range: Float = [.uint8, .int8].contains(space.element) ? 255 : 2
        let step = range / (code == KITH_CODE_SCALAR8 ? 255 : 15)
        let dimension = Float(space.dimension)
        return switch space.metric {
        case .cosine:
            8 * step / range / dimension.squareRoot() + (code == KITH_CODE_SCALAR8 ? 0.02 : 0.3) / dimension.squareRoot()
        default: 4 * range * step * dimension.squareRoot()
        }
    }

    @Test("scalar codes are near their rows, from rows and from nodes", arguments: [1, 3, 16, 63, 64, 65, 130, 384])
    func scalarCodes(_ dimension: Int) throws {
        for element: ElementType in [.float32, .float16, .bfloat16, .uint8, .int8] {
            for metric: Metric in [.l2, .dot, .cosine] {
                for code in [KITH_CODE_SCALAR8, KITH_CODE_SCALAR4] {
                    // One component has no direction but its sign, and two levels hold it.
                    let space = VectorSpace.test(dimension, element, metric)
                    let records = try Records(space, code: code, count: 40)
                    let tolerance = GraphCodeTests.tolerance(space, code: code)
                    for slot: UInt32 in [0, 17] {
                        let row = records.test.rows.row(slot)
                        let exact = try records.exact(row)
                        let fromRow = try records.distances(
                            kith_node_query_of_row(&records.records, element.rawValue, row, records.components, records.bytes))
                        let fromNode = try records.distances(kith_node_query_of_node(&records.records, slot, records.bytes))
                        for index in exact.indices {
                            #expect(abs(fromRow[index] - exact[index]) <= tolerance, "\(element) \(metric) \(code) row")
                            #expect(abs(fromNode[index] - exact[index]) <= 2 * tolerance, "\(element) \(metric) \(code) node")
                        }
                    }
                }
            }
        }
    }

    @Test("full codes are their rows, to the bit", arguments: ElementType.allCases)
    func fullCodes(_ element: ElementType) throws {
        for metric in Metric.allCases where metric.accepts(element) {
            for dimension in [8, 64, 100, 128] {
                let records = try Records(.test(dimension, element, metric), code: KITH_CODE_FULL, count: 30)
                let row = records.test.rows.row(3)
                let exact = try records.exact(row)
                let query = kith_node_query_of_row(&records.records, element.rawValue, row, records.components, records.bytes)
                #expect(try records.distances(query).map { $0 + 0 } == exact, "\(element) \(metric) \(dimension)")
                let stored = kith_node_query_of_node(&records.records, 3, records.bytes)
                #expect(try records.distances(stored).map { $0 + 0 } == exact, "\(element) \(metric) \(dimension)")
            }
        }
    }

    @Test("instruction sets agree", arguments: [1, 3, 31, 32, 64, 65, 100, 129, 384, 784])
    func levels(_ dimension: Int) throws {
        let cases: [(ElementType, Int)] = [
            (.float32, KITH_CODE_SCALAR8), (.float32, KITH_CODE_SCALAR4), (.uint8, KITH_CODE_FULL), (.int8, KITH_CODE_FULL),
        ]
        for (element, code) in cases {
            for metric: Metric in [.l2, .dot, .cosine] {
                let records = try Records(.test(dimension, element, metric), code: code, count: 11)
                let query = kith_node_query_of_node(&records.records, 5, records.bytes)
                let plain = try records.distances(query, level: UInt8(KITH_SIMD_SCALAR))
                // What float32 keeps of the squares that a distance is the difference of.
                let precision = 1e-5 * max(query.square, plain.map(abs).max() ?? 0, 1)
                for level in 1..<UInt8(KITH_SIMD_LEVELS) where kith_simd_supported(level) {
                    for (found, expected) in zip(try records.distances(query, level: level), plain) {
                        #expect(abs(found - expected) <= precision, "\(element) \(metric) \(code), level \(level)")
                    }
                }
            }
        }
    }

    @Test("pruning leaves out what lies behind a chosen one, and keeps copies")
    func pruning() throws {
        let records = try Records(.test(2), code: KITH_CODE_FULL, count: 4)
        let places: [[Float]] = [[0, 0], [1, 0], [2, 0.1], [0, 2]]
        for (slot, place) in places.enumerated() {
            let row = records.test.query(place)
            UnsafeMutableRawPointer(records.records.base + slot * records.records.stride).copyMemory(from: row, byteCount: 8)
        }
        let room = PruneRoom(8, records.bytes)
        let ranks = [kith_rank(1, 1), kith_rank(4, 3), kith_rank(4.01, 2)]
        #expect(room.prune(ranks, of: records.records, keeping: 0, to: 8) == [0, 1])
        // All three where they are to be kept, whatever they are to one another.
        #expect(room.prune(ranks, of: records.records, keeping: 3, to: 8) == [0, 1, 2])
    }

    @Test("what is compared together is as compared alone, to the bit", arguments: [4, 16, 64, 65, 130, 384])
    func together(_ dimension: Int) throws {
        let cases: [(ElementType, Int)] = [
            (.float32, KITH_CODE_SCALAR8), (.float32, KITH_CODE_SCALAR4), (.uint8, KITH_CODE_FULL),
        ]
        for (element, code) in cases {
            for metric: Metric in [.l2, .dot, .cosine] {
                let records = try Records(.test(dimension, element, metric), code: code, count: 11)
                var query = kith_node_query_of_node(&records.records, 5, records.bytes)
                let compare = try #require(records.records.distances)
                let alone = (0..<UInt32(11)).map { node in
                    var distance = Float.nan
                    withUnsafePointer(to: node) { compare(&records.records, &query, $0, 1, &distance) }
                    return distance
                }
                for count in 1...11 {
                    let nodes = Array((0..<UInt32(11)).suffix(count))
                    // One more, which stays as it is.
                    var out = [Float](repeating: -7, count: count + 1)
                    compare(&records.records, &query, nodes, count, &out)
                    #expect(out == Array(alone.suffix(count)) + [-7], "\(element) \(metric) \(code), \(count)")
                }
            }
        }
    }

    @Test("pruning chooses as its definition says", arguments: [Metric.l2, .cosine, .dot])
    func definition(_ metric: Metric) throws {
        let records = try Records(.test(12, .float32, metric), code: KITH_CODE_SCALAR8, count: 120)
        let room = PruneRoom(120, records.bytes)
        let query = kith_node_query_of_node(&records.records, 0, records.bytes)
        let distances = try records.distances(query)
        let ranks = (1..<UInt32(120)).map { kith_rank(distances[Int($0)], $0) }.sorted()
        for (kept, limit) in [(0, 8), (0, 64), (5, 32)] {
            let chosen = room.prune(ranks, of: records.records, keeping: kept, to: limit, square: query.square)
            #expect(try chosen == GraphCodeTests.choose(ranks, records, keeping: kept, to: limit, square: query.square))
            #expect(chosen.count > kept)
        }
    }

    /// What pruning is, without haste: by rounds, each candidate that no link chosen before it stands too much in the way of.
    private static func choose(
        _ ranks: [UInt64], _ records: Records, keeping kept: Int, to limit: Int, square: Float
    ) throws -> [UInt32] {
        var chosen: [UInt32] = []
        var ratios = [Float](repeating: 0, count: ranks.count)
        let isProduct = records.records.metric == Metric.dot.rawValue
        func squared(_ node: UInt32) -> Float { kith_node_query_of_node(&records.records, node, records.bytes).square }
        for allowed: Float in [1, 1.44] {
            for place in ranks.indices where chosen.count < limit && !chosen.contains(UInt32(place)) {
                guard place < kept || ratios[place] <= allowed else { continue }
                chosen.append(UInt32(place))
                let link = kith_rank_node(ranks[place])
                let distances = try records.distances(kith_node_query_of_node(&records.records, link, records.bytes))
                for other in max(place + 1, kept)..<max(ranks.count, kept) {
                    let node = kith_rank_node(ranks[other])
                    var (fromNode, fromLink) = (kith_rank_distance(ranks[other]), distances[Int(node)])
                    if isProduct {
                        fromNode = square + squared(node) + 2 * fromNode
                        fromLink = squared(link) + squared(node) + 2 * fromLink
                    }
                    ratios[other] = max(ratios[other], fromLink > 0 ? fromNode / fromLink : .infinity)
                }
            }
        }
        return chosen
    }
}

/// Room for pruning so many candidates.
private final class PruneRoom {
    private var room: kith_prune
    private let capacity: Int

    init(_ capacity: Int, _ bytes: UnsafeMutablePointer<Int8>) {
        self.capacity = capacity
        room = kith_prune(
            nodes: .allocate(capacity: capacity), places: .allocate(capacity: capacity), from_node: .allocate(capacity: capacity),
            ratios: .allocate(capacity: capacity), distances: .allocate(capacity: capacity), bytes: bytes)
    }

    deinit {
        room.nodes.deallocate()
        room.places.deallocate()
        room.from_node.deallocate()
        room.ratios.deallocate()
        room.distances.deallocate()
    }

    func prune(
        _ ranks: [UInt64], of records: kith_records, keeping kept: Int, to limit: Int, square: Float = 0
    ) -> [UInt32] {
        var records = records
        var out = [UInt32](repeating: 0, count: capacity)
        let count = kith_prune_links(&room, &records, ranks, ranks.count, kept, limit, 1.44, square, &out)
        return Array(out[..<count])
    }
}
