import CGRPCShim
import KithCollections
import KithCore

/// Points as views for the encoders. The views point into memory that lives as long as this object.
final class WirePoints: @unchecked Sendable {
    let views: UnsafeBufferPointer<KithPointView>
    private let points: [StoredPoint]
    private let texts: OwnedBytes
    private let vectors: UnsafeMutableBufferPointer<KithVectorView>
    private let storage: UnsafeMutableBufferPointer<KithPointView>

    init(_ points: [StoredPoint], _ definition: CollectionDefinition) {
        self.points = points
        var arena = TextArena()
        var ids: [Range<Int>] = []
        ids.reserveCapacity(points.count)
        var vectorCount = 0
        // By their places: a copy of each would count references to all it holds.
        for number in points.indices {
            ids.append(arena.add(points[number].id))
            vectorCount += points[number].vectors.count
        }
        let names = vectorCount == 0 ? [] : definition.spaces.map { arena.add($0.name) }
        texts = OwnedBytes(arena.bytes)
        let bytes = texts.view.bytes
        func text(_ range: Range<Int>) -> KithBytes { KithBytes(ByteView(UnsafeRawBufferPointer(rebasing: bytes[range]))) }

        vectors = .allocate(capacity: vectorCount)
        storage = .allocate(capacity: points.count)
        var next = 0
        for number in points.indices {
            let first = next
            for vector in points[number].vectors {
                let space = definition.spaces[vector.space]
                vectors.initializeElement(
                    at: next,
                    to: KithVectorView(
                        space: text(names[vector.space]), data: KithBytes(vector.bytes), values: nil, value_count: 0,
                        element_type: Int32(space.element.rawValue)))
                next += 1
            }
            storage.initializeElement(
                at: number,
                to: KithPointView(
                    id: points[number].id.view(text(ids[number])),
                    vectors: vectors.baseAddress.map { UnsafePointer($0 + first) }, vector_count: next - first,
                    payload_json: KithBytes(points[number].payload), version: points[number].version,
                    score: points[number].score))
        }
        views = UnsafeBufferPointer(storage)
    }

    deinit {
        vectors.deallocate()
        storage.deallocate()
    }
}

extension TextArena {
    /// The bytes of an id as the wire has them: none for a number.
    mutating func add(_ id: PointID) -> Range<Int> {
        switch id {
        case .number: return bytes.count..<bytes.count
        case .uuid(let uuid):
            var bytes: [UInt8] = []
            bytes.appendBigEndian(uuid.high)
            bytes.appendBigEndian(uuid.low)
            return bytes.withUnsafeBytes { add(ByteView($0)) }
        case .string(let text): return add(text)
        }
    }
}

extension PointID {
    func view(_ bytes: KithBytes) -> KithPointIDView {
        switch self {
        case .number(let number): KithPointIDView(kind: KITH_ID_NUMBER, number: number, bytes: KithBytes())
        case .uuid: KithPointIDView(kind: KITH_ID_UUID, number: 0, bytes: bytes)
        case .string: KithPointIDView(kind: KITH_ID_NAME, number: 0, bytes: bytes)
        }
    }
}

extension [ShardPosition] {
    var views: [KithShardPosition] { map { KithShardPosition(shard: UInt32($0.shard), position: $0.position) } }
}
