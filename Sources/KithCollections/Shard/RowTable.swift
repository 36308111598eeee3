import CMemory
import KithCore
import KithIndex
import Synchronization

/// What is known of each slot without asking the store: its point's id and version, and when it died.
///
/// Four regions that grow in place; one writer, any number of readers. It can always be made again from point rows, so it is only
/// ever written to checkpoints.
final class RowTable: @unchecked Sendable {
    private let deathMemory: GrowableMemory
    private let versionMemory: GrowableMemory
    private let idMemory: GrowableMemory
    private let nameMemory: GrowableMemory
    /// Used bytes of the names region. Only the writer changes it.
    private let nameBytes: Atomic<Int>

    let deaths: SlotDeaths
    let owners: SlotOwners
    private let versions: UnsafeMutablePointer<UInt64>

    /// Bytes of a slot, but for a long id.
    static let slotBytes = 2 * MemoryLayout<UInt64>.size + SlotOwners.idBytes

    /// Region sizes for so many slots, by the names they have in a checkpoint.
    static func capacities(slots: UInt32) -> [String: Int] {
        [
            "deaths": Int(slots) * 8, "versions": Int(slots) * 8, "ids": Int(slots) * SlotOwners.idBytes,
            "names": Limits.regionBytes / 16,
        ]
    }

    /// Bytes of a region that are in small pages: what few points take is not rounded up.
    private static let smallPageBytes = 4 << 20

    convenience init(slots: UInt32) throws(KithError) {
        var regions: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        for (name, capacity) in RowTable.capacities(slots: slots) {
            let memory = try GrowableMemory(capacity: capacity)
            memory.preferHugePages(from: RowTable.smallPageBytes)
            regions[name] = (memory, 0)
        }
        try self.init(regions: regions, slotCount: 0)
    }

    /// Takes over the regions of a checkpoint that held `slotCount` slots.
    init(regions: [String: (memory: GrowableMemory, byteCount: Int)], slotCount: UInt32) throws(KithError) {
        guard let deaths = regions["deaths"], let versions = regions["versions"], let ids = regions["ids"],
            let names = regions["names"], deaths.byteCount == Int(slotCount) * 8, versions.byteCount == Int(slotCount) * 8,
            ids.byteCount == Int(slotCount) * SlotOwners.idBytes
        else {
            throw KithError(.dataLoss, .corruption, "a checkpoint's row table does not fit its \(slotCount) slots")
        }
        deathMemory = deaths.memory
        versionMemory = versions.memory
        idMemory = ids.memory
        nameMemory = names.memory
        nameBytes = Atomic(names.byteCount)
        self.deaths = SlotDeaths(base: deathMemory.base.assumingMemoryBound(to: UInt64.self))
        self.versions = versionMemory.base.assumingMemoryBound(to: UInt64.self)
        owners = SlotOwners(ids: idMemory, versions: self.versions, names: nameMemory)
    }

    /// The used parts, to be written to a checkpoint.
    func sections(slotCount: UInt32) -> [(name: String, bytes: UnsafeRawBufferPointer)] {
        let slots = Int(slotCount)
        return [
            ("deaths", UnsafeRawBufferPointer(start: deathMemory.base, count: slots * 8)),
            ("versions", UnsafeRawBufferPointer(start: versionMemory.base, count: slots * 8)),
            ("ids", UnsafeRawBufferPointer(start: idMemory.base, count: slots * SlotOwners.idBytes)),
            ("names", UnsafeRawBufferPointer(start: nameMemory.base, count: nameBytes.load(ordering: .acquiring))),
        ]
    }

    // MARK: Writing

    /// Bytes of the names region that an id takes: none, but for long ones.
    static func nameBytes(of encodedID: UnsafeRawBufferPointer) -> Int {
        encodedID.count - 1 <= SlotOwners.inlineIDBytes ? 0 : encodedID.count - 1
    }

    /// Makes sure that so many bytes of long ids have room.
    func reserveNames(_ bytes: Int) throws(KithError) {
        let used = nameBytes.load(ordering: .relaxed)
        guard used + bytes <= nameMemory.capacity else {
            throw KithError(
                .resourceExhausted, .limitExceeded, "the long ids of one shard take over \(used) bytes",
                metadata: ["value": "\(used + bytes)", "limit": "\(nameMemory.capacity)"])
        }
    }

    /// Gives a slot to a point; readers see it once the view that counts the slot is published. Its name's room was reserved.
    func set(_ slot: UInt32, encodedID: UnsafeRawBufferPointer, version: UInt64) {
        let record = idMemory.base + Int(slot) * SlotOwners.idBytes
        let rest = UnsafeRawBufferPointer(rebasing: encodedID.dropFirst())
        record.storeBytes(of: encodedID[0], as: UInt8.self)
        if rest.count <= SlotOwners.inlineIDBytes {
            record.storeBytes(of: UInt8(rest.count), toByteOffset: 1, as: UInt8.self)
            if let start = rest.baseAddress { (record + 2).copyMemory(from: start, byteCount: rest.count) }
        } else {
            let start = nameBytes.load(ordering: .relaxed)
            precondition(start + rest.count <= nameMemory.capacity, "the room of a name was not reserved")
            record.storeBytes(of: SlotOwners.isElsewhere, toByteOffset: 1, as: UInt8.self)
            (record + 2).storeBytes(of: UInt16(rest.count), as: UInt16.self)
            (record + 8).storeBytes(of: UInt64(start), as: UInt64.self)
            UnsafeMutableRawBufferPointer(start: nameMemory.base + start, count: rest.count).copyMemory(from: rest)
            nameBytes.store(start + rest.count, ordering: .releasing)
        }
        setVersion(slot, version)
    }

    /// Takes back deaths stamped by commits after `position`: replaying them stamps them again.
    func forgetDeaths(after position: LogPosition, below slotCount: UInt32) {
        for slot in 0..<Int(slotCount) where deaths.base[slot] > position { deaths.base[slot] = 0 }
    }

    func setVersion(_ slot: UInt32, _ version: UInt64) { kith_store_release_u64(versions + Int(slot), version) }

    // MARK: Reading

    func version(_ slot: UInt32) -> UInt64 { owners.version(slot) }

    func id(_ slot: UInt32) -> PointID? { owners.id(slot) }
}
