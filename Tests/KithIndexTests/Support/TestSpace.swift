import CVectorKernels
import KithCore
import KithIndex

/// Numbers that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number that every element type but binary can hold: whole, small, and for uint8 not negative.
    mutating func component(_ element: ElementType) -> Float {
        switch element {
        case .float32, .float16, .bfloat16: Float.random(in: -1...1, using: &self)
        case .int8: Float(Int.random(in: -128...127, using: &self))
        case .uint8: Float(Int.random(in: 0...255, using: &self))
        case .binary: Float(Int.random(in: 0...1, using: &self))
        }
    }
}

extension VectorSpace {
    static func test(
        _ dimension: Int, _ element: ElementType = .float32, _ metric: Metric = .l2, index: String = IndexDefinition.defaultKind,
        _ parameters: [String: String] = [:]
    ) -> VectorSpace {
        VectorSpace(
            name: "test", dimension: dimension, element: element, metric: metric,
            index: IndexDefinition(kind: index, parameters: parameters))
    }
}

/// Rows and deaths of one space, as a collection would keep them, and an exact search to compare with.
final class TestRows: @unchecked Sendable {
    let space: VectorSpace
    let capacity: Int
    private(set) var count: UInt32 = 0
    let memory: GrowableMemory
    let deathMemory: GrowableMemory
    var random: SeededRandom
    private let scratch: UnsafeMutableRawPointer

    init(_ space: VectorSpace, capacity: Int, seed: UInt64 = 1) throws {
        self.space = space
        self.capacity = capacity
        memory = try GrowableMemory(capacity: capacity * space.stride)
        deathMemory = try GrowableMemory(capacity: capacity * 8)
        random = SeededRandom(seed)
        scratch = .allocate(byteCount: space.stride, alignment: 64)
    }

    deinit { scratch.deallocate() }

    var rows: VectorRows { VectorRows(base: UnsafeRawPointer(memory.base), stride: space.stride) }
    var deaths: SlotDeaths { SlotDeaths(base: deathMemory.base.assumingMemoryBound(to: UInt64.self)) }
    /// Where set, whatever the index keeps is read rather than mapped.
    var reader: (any RowSource)?
    /// Where set, what an index keeps on disk lies there.
    var scratchDirectory: String?
    var context: IndexContext {
        var context = IndexContext(space: space, rows: rows, deaths: deaths, reader: reader)
        if let scratchDirectory { context.scratchDirectory = scratchDirectory }
        return context
    }

    func makeIndex() throws -> any VectorIndex { try IndexRegistry.builtIn.maker(space.index.kind).make(context) }

    private func write(_ components: [Float], to place: UnsafeMutableRawPointer) {
        precondition(kith_vector_narrow(space.element.rawValue, components, space.dimension, place) == space.dimension)
    }

    func append(_ components: [Float]) {
        precondition(Int(count) < capacity)
        write(components, to: memory.base + Int(count) * space.stride)
        count += 1
    }

    func appendRandom(_ number: Int) {
        for _ in 0..<number { append(randomVector()) }
    }

    func randomVector() -> [Float] { (0..<space.dimension).map { _ in random.component(space.element) } }

    /// The place of a fresh random query, valid until the next.
    func randomQuery() -> UnsafeRawPointer {
        write(randomVector(), to: scratch)
        return UnsafeRawPointer(scratch)
    }

    /// The place of a query with the given components, valid until the next.
    func query(_ components: [Float]) -> UnsafeRawPointer {
        write(components, to: scratch)
        return UnsafeRawPointer(scratch)
    }

    func snapshot(at position: LogPosition = 1) -> Snapshot { Snapshot(slotCount: count, position: position) }

    /// Every visible slot, nearest first, by sorting them all.
    func sorted(_ query: UnsafeRawPointer, in snapshot: Snapshot) throws -> [Neighbour] {
        let element = space.element.rawValue
        let metric = space.metric.rawValue
        guard let kernel = kith_kernel_for(element, metric)?.pointee else { return [] }
        let scale = kith_query_scale(element, metric, query, space.dimension)
        return (0..<snapshot.slotCount)
            .filter { deaths.isVisible($0, at: snapshot.position) }
            .map { Neighbour(distance: kernel.distance(query, rows.row($0), space.dimension, scale) + 0, slot: $0) }
            .sorted { ($0.distance, $0.slot) < ($1.distance, $1.slot) }
    }

    /// The components of a stored float32 vector.
    func components(_ slot: UInt32) -> [Float] {
        precondition(space.element == .float32)
        return Array(UnsafeBufferPointer(start: rows.row(slot).assumingMemoryBound(to: Float.self), count: space.dimension))
    }

    /// A random vector in the neighbourhood of another.
    func near(_ centre: [Float]) -> [Float] { centre.map { $0 + 0.3 * random.component(space.element) } }

    /// The share of the true nearest that an index finds, over fresh queries. Equal distances count as found.
    func recall(
        _ index: any VectorIndexReader, queries: Int = 50, topK: Int = 10, effort: Int? = nil, recallTarget: Float? = nil,
        position: LogPosition = 1, query: ((Int) -> UnsafeRawPointer)? = nil
    ) throws -> Double {
        var found = 0
        var wanted = 0
        for number in 0..<queries {
            let query = query?(number) ?? randomQuery()
            let truth = try index.search(IndexQuery(vector: query, topK: topK, exact: true), in: snapshot(at: position))
            let answer = try index.search(
                IndexQuery(vector: query, topK: topK, effort: effort, recallTarget: recallTarget), in: snapshot(at: position))
            let farthest = truth.last?.distance ?? -.infinity
            found += answer.filter { $0.distance <= farthest }.count
            wanted += truth.count
        }
        return Double(found) / Double(max(wanted, 1))
    }
}

extension VectorIndexWriter {
    /// Links everything.
    func linkAll(upTo slotCount: UInt32) throws {
        while hasWork(upTo: slotCount) { _ = try link(upTo: slotCount, limit: 1_000) }
    }
}
