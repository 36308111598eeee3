import KithCore
import Synchronization

/// Items that a stream did not take.
final class Refusals: Sendable {
    private let error = Mutex<KithError?>(nil)

    var first: KithError? { error.withLock { $0 } }
    /// For a failed check.
    var text: String { first.map { " (\($0.description))" } ?? "" }

    func add(_ sequence: UInt64, _ failure: KithError) { error.withLock { $0 = $0 ?? failure } }
}
