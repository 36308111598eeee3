import CGRPCShim
import Foundation
import KithCore

extension WireBuffer {
    /// Calls `body` with the bytes, which live as long as the call, even where nothing else holds the buffer.
    func withBytes<Result>(_ body: (KithBytes) throws(KithError) -> Result) throws(KithError) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// A copy.
    var data: Data { withExtendedLifetime(self) { Data(bytes.view.bytes) } }
    var text: String { withExtendedLifetime(self) { bytes.text } }
}
