internal import CJSON
import Foundation
import KithCore

/// The top-level keys whose values differ between two payloads, sorted. None where either text is no JSON object.
func changedKeys(from before: ByteView, to after: ByteView) -> [String] {
    var result: UnsafeMutablePointer<UInt8>?
    var size = 0
    let status = withObject(before) { before in
        withObject(after) { after in
            kith_json_changed_keys(before.baseAddress, before.count, after.baseAddress, after.count, &result, &size)
        }
    }
    guard status == KITH_JSON_OK, let result else { return [] }
    defer { kith_json_free(result) }
    let list = UnsafeBufferPointer(start: result, count: size)
    // Keys without escapes, nearly all, need no JSON parser.
    guard list.contains(UInt8(ascii: "\\")) else {
        let pieces = list.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        return stride(from: 1, to: pieces.count, by: 2).map { String(decoding: pieces[$0], as: UTF8.self) }
    }
    // The shim has just written it: it decodes.
    return (try? JSONDecoder().decode([String].self, from: Data(list))) ?? []
}

/// A point without a payload counts as an empty object.
private func withObject<Result>(
    _ payload: ByteView, _ body: (UnsafeBufferPointer<UInt8>) -> Result
) -> Result {
    guard payload.isEmpty else { return payload.bytes.withMemoryRebound(to: UInt8.self, body) }
    let empty: StaticString = "{}"
    return empty.withUTF8Buffer(body)
}
