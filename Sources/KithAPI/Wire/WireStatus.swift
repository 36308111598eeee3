import CGRPCShim
import KithCore

/// Errors as `google.rpc.Status` with `ErrorInfo`, and `BadRequest` and `RetryInfo` where they apply.
enum WireStatus {
    static let domain = "kith.v1"

    /// A text as long as a status can carry: errors quote what was sent, and gRPC's headers have no room for all of that.
    static func text(_ whole: String) -> String {
        guard whole.utf8.count > Limits.statusTextBytes else { return whole }
        var end = whole.utf8.index(whole.startIndex, offsetBy: Limits.statusTextBytes)
        // Not in the middle of a character.
        while String.Index(end, within: whole) == nil { end = whole.utf8.index(before: end) }
        return whole[..<end] + "..."
    }

    static func encode(_ error: KithError) -> WireBuffer {
        // All texts in one place that does not move while the shim reads it.
        var texts = TextArena()
        let message = texts.add(text(error.message))
        let reason = texts.add(error.reason.rawValue)
        let domain = texts.add(WireStatus.domain)
        let metadata = error.metadata.sorted { $0.key < $1.key }.map { (texts.add($0.key), texts.add(text($0.value))) }
        let violations = error.violations.map { (texts.add(text($0.field)), texts.add(text($0.description))) }
        return texts.withViews { view in
            let metadata = metadata.map { KithPair(key: view($0.0), value: view($0.1)) }
            let violations = violations.map { KithPair(key: view($0.0), value: view($0.1)) }
            return WireBuffer(
                owning: kith_encode_status(
                    error.code.rawValue, view(message), view(reason), view(domain), metadata, metadata.count, violations,
                    violations.count, Int64(error.retryAfterMilliseconds ?? 0)))
        }
    }
}

/// Texts laid one after another, to be viewed together.
struct TextArena {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ text: String) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return start..<bytes.count
    }

    mutating func add(_ view: ByteView) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: view.bytes)
        return start..<bytes.count
    }

    func withViews<Result>(_ body: ((Range<Int>) -> KithBytes) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            body { KithBytes(ByteView(UnsafeRawBufferPointer(rebasing: buffer[$0]))) }
        }
    }
}
