import CRocksDB
import KithCore

/// Runs a C call that reports failure through its last argument, and turns the report into a `KithError`.
///
/// - Parameter action: what was tried, to open the message with.
func checked<Result>(
    _ action: @autoclosure () -> String, _ call: (inout UnsafeMutablePointer<CChar>?) -> Result
) throws(KithError) -> Result {
    var report: UnsafeMutablePointer<CChar>?
    let result = call(&report)
    if let report { throw takeError(report, action()) }
    return result
}

/// The error that a C call reported; frees the report.
func takeError(_ report: UnsafeMutablePointer<CChar>, _ action: String) -> KithError {
    defer { rocksdb_free(report) }
    return KithError(rocksDBStatus: String(cString: report), action)
}

extension KithError {
    /// The C interface hands over a status as text only, which opens with the name of the status code.
    init(rocksDBStatus status: String, _ action: String) {
        let (code, reason): (StatusCode, ErrorReason) =
            if status.hasPrefix("Corruption") {
                (.dataLoss, .corruption)
            } else if status.hasPrefix("IO error: No space left on device") {
                (.resourceExhausted, .storageFailure)
            } else {
                (.internal, .storageFailure)
            }
        self.init(code, reason, "\(action): \(status)", metadata: ["status": status])
    }
}
