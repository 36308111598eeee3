import CJSON
import KithCore

/// Redacts payloads on their way into the change log. Equal inputs give equal bytes, on every replica.
enum PayloadRedactor {
    /// A point's row with its payload redacted.
    static func redacted(row: ByteView, by redaction: PayloadRedaction) throws(KithError) -> [UInt8] {
        var image = try PointImage(decoding: row.bytes)
        guard !image.payload.isEmpty else { return row.array }
        let payload = OwnedBytes(try redacted(payload: image.payload, by: redaction))
        image.payload = payload.view
        var bytes: [UInt8] = []
        bytes.reserveCapacity(row.count)
        withExtendedLifetime(payload) { image.encode(into: &bytes) }
        return bytes
    }

    private static func redacted(payload: ByteView, by redaction: PayloadRedaction) throws(KithError) -> [UInt8] {
        var result: UnsafeMutablePointer<UInt8>?
        var size = 0
        let paths = redaction.fields.map { OwnedBytes(Array($0.path.utf8)) }
        let redactions = zip(redaction.fields, paths).map { field, path in
            KithJSONRedaction(
                path: path.view.bytes.bindMemory(to: UInt8.self).baseAddress, path_size: path.view.count,
                action: field.action.json)
        }
        let status = withExtendedLifetime(paths) {
            kith_json_redact(
                payload.bytes.bindMemory(to: UInt8.self).baseAddress, payload.count, redactions, redactions.count,
                redaction.key, redaction.key.count, &result, &size)
        }
        guard status == KITH_JSON_OK else {
            throw KithError(.internal, .invalidPayload, "a stored payload cannot be redacted: JSON status \(status.rawValue)")
        }
        defer { kith_json_free(result) }
        return Array(UnsafeBufferPointer(start: result, count: size))
    }
}

extension FieldRedaction.Action {
    fileprivate var json: KithJSONRedactionAction {
        switch self {
        case .drop: KITH_JSON_DROP
        case .hash: KITH_JSON_HASH
        case .mask: KITH_JSON_MASK
        }
    }
}
