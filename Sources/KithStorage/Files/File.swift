import Glibc
import KithCore

/// An open file; closed with the object. Calls interrupted by a signal are made again.
final class File: Sendable {
    let path: String
    let descriptor: Int32

    /// - Parameter flags: as of `open(2)`; `O_CLOEXEC` is added.
    init(_ path: String, _ flags: Int32) throws(KithError) {
        self.path = path
        descriptor = try retried("open", path) { Glibc.open(path, flags | O_CLOEXEC, 0o600) }
    }

    deinit { close(descriptor) }

    /// Its length in bytes.
    func size() throws(KithError) -> Int {
        var status = stat()
        try retried("measure", path) { fstat(descriptor, &status) }
        return Int(status.st_size)
    }

    func truncate(to size: Int) throws(KithError) {
        try retried("resize", path) { ftruncate(descriptor, off_t(size)) }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(KithError) {
        var written = 0
        while written < bytes.count {
            written += Int(
                try retried("write", path) {
                    pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
                })
        }
    }

    /// Fills `buffer`; a file that ends early is corrupt.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(KithError) {
        var done = 0
        while done < buffer.count {
            let count = try retried("read", path) {
                pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            }
            guard count > 0 else { throw KithError.corrupt(path, "ends at byte \(offset + done)") }
            done += Int(count)
        }
    }

    /// The first `count` bytes.
    func bytes(count: Int) throws(KithError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBufferPointer { bytes throws(KithError) in
            try read(into: UnsafeMutableRawBufferPointer(bytes), at: 0)
        }
        return bytes
    }

    /// Returns when the bytes, and the length where it changed, will survive a power failure.
    func sync() throws(KithError) {
        try retried("sync", path) { fdatasync(descriptor) }
    }

    /// Gives the file another name, in the place of any that had it.
    static func rename(_ path: String, to newPath: String) throws(KithError) {
        try retried("rename", path) { Glibc.rename(path, newPath) }
    }
}

/// Makes a system call until it is not interrupted; its failure is thrown as `what path: why`.
@discardableResult
func retried<Value: BinaryInteger>(_ what: String, _ path: String, _ call: () -> Value) throws(KithError) -> Value {
    while true {
        let result = call()
        if result >= 0 { return result }
        let cause = errno
        if cause != EINTR { throw KithError.system(cause, "cannot \(what) \(path)") }
    }
}

extension KithError {
    /// A system call's failure; a full disk or quota is told apart, since space can be made.
    static func system(_ cause: Int32, _ action: String) -> KithError {
        let isFull = cause == ENOSPC || cause == EDQUOT
        return KithError(
            isFull ? .resourceExhausted : .internal, .storageFailure, "\(action): \(String(cString: strerror(cause)))",
            metadata: ["errno": "\(cause)"])
    }

    /// A file that is not what it should be.
    static func corrupt(_ path: String, _ what: String) -> KithError {
        KithError(.dataLoss, .corruption, "\(path) \(what)", metadata: ["path": path])
    }
}
