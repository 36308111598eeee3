import CRocksDB
public import KithCore

extension Database {
    /// The value of a row, or nil; as of `snapshot`, or of now.
    public func get(
        _ family: ColumnFamily, _ key: UnsafeRawBufferPointer, at snapshot: DatabaseSnapshot? = nil
    ) throws(KithError) -> [UInt8]? {
        try withValue(family, key: key, at: snapshot) { bytes throws(KithError) in Array(bytes) }
    }

    public func get(
        _ family: ColumnFamily, _ key: [UInt8], at snapshot: DatabaseSnapshot? = nil
    ) throws(KithError) -> [UInt8]? {
        try key.withBytes { key throws(KithError) in try get(family, key, at: snapshot) }
    }

    /// Hands the value of a row to `body` where it lies, in a memory table or a cached block. Nil when there is no row.
    public func withValue<Result>(
        _ family: ColumnFamily, key: UnsafeRawBufferPointer, at snapshot: DatabaseSnapshot? = nil,
        _ body: (UnsafeRawBufferPointer) throws(KithError) -> Result
    ) throws(KithError) -> Result? {
        let found = try checked("cannot read from \(path)") { report in
            rocksdb_get_pinned_cf(
                handle, snapshot?.readOptions ?? readOptions, handle(of: family), key.characters, key.count, &report)
        }
        guard let found else { return nil }
        defer { rocksdb_pinnableslice_destroy(found) }
        return try body(value(of: found))
    }

    /// Reads many rows as of one moment, together: far cheaper than one by one.
    ///
    /// - Parameters:
    ///   - keysBytes: the keys, one after another, in any order; a key may come twice.
    ///   - keyEnds: where each key ends in `keysBytes`.
    ///   - body: called once a key, in the order given, with its number and its value where that lies, or nil.
    public func multiGet(
        _ family: ColumnFamily, keysBytes: [UInt8], keyEnds: [Int], at snapshot: DatabaseSnapshot? = nil,
        _ body: (Int, UnsafeRawBufferPointer?) throws(KithError) -> Void
    ) throws(KithError) {
        try keysBytes.withBytes { bytes throws(KithError) in
            var keys: [UnsafeRawBufferPointer] = []
            keys.reserveCapacity(keyEnds.count)
            var start = 0
            for end in keyEnds {
                keys.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
            try multiGet(family, keys: keys, at: snapshot, body)
        }
    }

    /// The same, of keys that lie anywhere.
    public func multiGet(
        _ family: ColumnFamily, keys: [UnsafeRawBufferPointer], at snapshot: DatabaseSnapshot? = nil,
        _ body: (Int, UnsafeRawBufferPointer?) throws(KithError) -> Void
    ) throws(KithError) {
        guard !keys.isEmpty else { return }
        var values = [OpaquePointer?](repeating: nil, count: keys.count)
        var reports = [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
        rocksdb_batched_multi_get_cf(
            handle, snapshot?.readOptions ?? readOptions, handle(of: family), keys.count, keys.map(\.characters),
            keys.map(\.count), &values, &reports, false)
        defer {
            for case let value? in values { rocksdb_pinnableslice_destroy(value) }
            for case let report? in reports { rocksdb_free(report) }
        }
        if case let report?? = reports.first(where: { $0 != nil }) {
            throw KithError(rocksDBStatus: String(cString: report), "cannot read from \(path)")
        }
        for (number, found) in values.enumerated() { try body(number, found.map(value(of:))) }
    }
}

private func value(of slice: OpaquePointer) -> UnsafeRawBufferPointer {
    var count = 0
    let start = rocksdb_pinnableslice_value(slice, &count)
    return UnsafeRawBufferPointer(start: start, count: count)
}
