public import KithCore

/// Rows as they lie in their files, for an index that must not keep all of them in memory.
public protocol RowSource: AnyObject, Sendable {
    /// Whether any row is to be read.
    var isLimited: Bool { get }

    /// Notes that a row is wanted, and answers whether it is to be read: else it may be used where it is mapped.
    func isRead(_ slot: UInt32) -> Bool

    /// Reads rows into `buffer`, one behind another, a stride each. Those that no cache has are all requested before one is waited for.
    ///
    /// - Throws: `STORAGE_FAILURE`, naming the file.
    func read(_ slots: UnsafeBufferPointer<UInt32>, into buffer: UnsafeMutableRawPointer) throws(KithError)

    /// A scan has compared these rows where they are mapped, the next piece of many: those that are to be read may go from memory again.
    func passed(_ slots: Range<UInt32>)
}

/// Brings rows to where they can be compared: those that are mapped stay there, others are read.
final class RowBuffer {
    /// Rows of one fetch, and so reads under way at once.
    static let limit = 64

    private let rows: VectorRows
    private let reader: (any RowSource)?
    private let buffer: UnsafeMutableRawPointer
    private let places: UnsafeMutablePointer<UnsafeRawPointer>
    private let waiting: UnsafeMutablePointer<UInt32>

    init(_ context: IndexContext) {
        rows = context.rows
        reader = context.reader
        buffer = .allocate(byteCount: reader == nil ? 1 : Self.limit * context.rows.stride, alignment: 64)
        places = .allocate(capacity: Self.limit)
        waiting = .allocate(capacity: Self.limit)
    }

    deinit {
        buffer.deallocate()
        places.deallocate()
        waiting.deallocate()
    }

    /// Whether every row may be used where it is mapped.
    var isMapped: Bool { reader?.isLimited != true }

    /// Distances to the rows of `count` slots.
    ///
    /// - Throws: `STORAGE_FAILURE` where rows cannot be read.
    func compare(
        _ slots: UnsafePointer<UInt32>, count: Int, _ distance: QueryDistance, into distances: UnsafeMutablePointer<Float>
    ) throws(KithError) {
        if isMapped { return distance.gather(slots, count: count, into: distances) }
        for first in stride(from: 0, to: count, by: Self.limit) {
            let part = min(Self.limit, count - first)
            let places = try fetch(slots + first, count: part)
            for index in 0..<part { distances[first + index] = distance.distance(toRow: places[index]) }
        }
    }

    /// Where the rows of at most `limit` slots are, until the next call.
    func fetch(_ slots: UnsafePointer<UInt32>, count: Int) throws(KithError) -> UnsafePointer<UnsafeRawPointer> {
        var missing = 0
        for index in 0..<count {
            if reader?.isRead(slots[index]) == true {
                waiting[missing] = slots[index]
                places[index] = UnsafeRawPointer(buffer + missing * rows.stride)
                missing += 1
            } else {
                places[index] = rows.row(slots[index])
            }
        }
        if missing > 0 { try reader?.read(UnsafeBufferPointer(start: waiting, count: missing), into: buffer) }
        return UnsafePointer(places)
    }
}
