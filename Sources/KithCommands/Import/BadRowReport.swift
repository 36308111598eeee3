import Glibc
import KithCore
import Synchronization

/// Where bad rows are told: a file, or standard error.
final class BadRowReport: Sendable {
    private let source: String
    private let descriptor: Int32
    private let path: String?
    /// The first failure to write, thrown at the end: a row is not lost for want of a report.
    private let failure = Mutex<KithError?>(nil)

    init(_ path: String?, source: String) throws(KithError) {
        self.source = source
        self.path = path
        descriptor = path.map { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) } ?? 2
        guard descriptor >= 0 else { throw Files.system("write", path ?? "") }
    }

    deinit { if path != nil { close(descriptor) } }

    func add(row: Int, _ reason: String) {
        // At a terminal the progress bar may stand in the line.
        let start = path == nil && Console.isTerminal(2) ? "\r\u{1B}[K" : ""
        do throws(KithError) {
            try Console.writeAll(descriptor, "\(start)\(source):\(row): \(reason)\n", path ?? "standard error")
        } catch {
            failure.withLock { $0 = $0 ?? error }
        }
    }

    func finish() throws(KithError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
