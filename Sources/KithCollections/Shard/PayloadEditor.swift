import CJSON
import KithCore

/// Changes of payload texts. Equal inputs give equal bytes, on every replica.
enum PayloadEditor {
    /// The payload after `change`; empty where nothing is left.
    static func apply(_ change: PayloadChange, to payload: ByteView) throws(KithError) -> [UInt8] {
        switch change {
        case .clear: return []
        case .replace(let text): return text.array
        case .set(let patch): return try edit(payload, patch, kith_json_set)
        case .merge(let patch): return try edit(payload, patch, kith_json_merge)
        case .deleteKeys(let keys): return try remove(keys, from: payload)
        }
    }

    private typealias Edit = (
        UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>,
        UnsafeMutablePointer<Int>
    ) -> KithJSONStatus

    private static func edit(_ payload: ByteView, _ patch: ByteView, _ edit: Edit) throws(KithError) -> [UInt8] {
        try taking { out, size in
            edit(payload.start, payload.count, patch.start, patch.count, out, size)
        }
    }

    private static func remove(_ keys: [ByteView], from payload: ByteView) throws(KithError) -> [UInt8] {
        // An empty key has no bytes, but the list has no place for nil.
        let starts = keys.map { $0.start ?? UnsafePointer(bitPattern: 1) }
        let sizes = keys.map(\.count)
        return try taking { out, size in
            starts.withUnsafeBufferPointer { starts in
                starts.withMemoryRebound(to: UnsafePointer<UInt8>.self) { starts in
                    kith_json_remove_keys(payload.start, payload.count, starts.baseAddress, sizes, sizes.count, out, size)
                }
            }
        }
    }

    private static func taking(
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>) -> KithJSONStatus
    ) throws(KithError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var size = 0
        let status = call(&bytes, &size)
        guard status == KITH_JSON_OK else {
            throw KithError(.internal, .invalidPayload, "a stored payload cannot be changed: JSON status \(status.rawValue)")
        }
        defer { kith_json_free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: size))
    }
}

extension ByteView {
    fileprivate var start: UnsafePointer<UInt8>? { bytes.bindMemory(to: UInt8.self).baseAddress }
}
