import CMemory
import KithCore

/// Whose each slot is: the ids and versions of a `RowTable`, which must outlive it. Plain addresses, so that the threads that name what
/// they found share no count of references.
struct SlotOwners: @unchecked Sendable {
    /// Bytes of one id record: kind, length, then the id, or where a long one lies.
    static let idBytes = 24
    static let inlineIDBytes = idBytes - 2
    /// The length that stands for "in the names region".
    static let isElsewhere: UInt8 = 0xFF

    private let ids: UnsafeRawPointer
    private let versions: UnsafeMutablePointer<UInt64>
    private let names: UnsafeRawBufferPointer

    init(ids: GrowableMemory, versions: UnsafeMutablePointer<UInt64>, names: GrowableMemory) {
        self.ids = UnsafeRawPointer(ids.base)
        self.versions = versions
        self.names = UnsafeRawBufferPointer(start: names.base, count: names.capacity)
    }

    /// Begins to fetch what names the slot: many are named faster when all are on their way.
    func prefetch(_ slot: UInt32) {
        kith_prefetch(ids + Int(slot) * SlotOwners.idBytes)
        kith_prefetch(versions + Int(slot))
    }

    func version(_ slot: UInt32) -> UInt64 { kith_load_acquire_u64(versions + Int(slot)) }

    /// Nil where the record is none.
    func id(_ slot: UInt32) -> PointID? {
        let record = ids + Int(slot) * SlotOwners.idBytes
        let kind = record.load(as: UInt8.self)
        let length = record.load(fromByteOffset: 1, as: UInt8.self)
        let bytes: UnsafeRawBufferPointer
        if length != SlotOwners.isElsewhere {
            bytes = UnsafeRawBufferPointer(start: record + 2, count: Int(length))
        } else {
            let count = Int(record.load(fromByteOffset: 2, as: UInt16.self))
            let offset = Int(clamping: record.load(fromByteOffset: 8, as: UInt64.self))
            guard offset + count <= names.count else { return nil }
            bytes = UnsafeRawBufferPointer(rebasing: names[offset..<offset + count])
        }
        switch PointID.Kind(rawValue: kind) {
        case .number where bytes.count == 8: return .number(bytes.bigEndian(at: 0))
        case .uuid where bytes.count == 16:
            return .uuid(PointID.UUIDBytes(high: bytes.bigEndian(at: 0), low: bytes.bigEndian(at: 8)))
        case .string: return .string(String(decoding: bytes, as: UTF8.self))
        default: return nil
        }
    }
}
