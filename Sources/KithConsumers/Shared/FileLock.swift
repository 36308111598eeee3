import Glibc
import KithCommands
package import KithCore

/// A lock on a file that ends with its process.
package final class FileLock {
    private let descriptor: Int32

    /// Nil where another one has it, or where there is no such file and none is to be made.
    package init?(_ path: String, makesFile: Bool = true) throws(KithError) {
        descriptor = open(path, O_RDWR | O_CLOEXEC | (makesFile ? O_CREAT : 0), 0o640)
        guard descriptor >= 0 else {
            if errno == ENOENT, !makesFile { return nil }
            throw Files.system("open", path)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw Files.system("lock", path)
        }
    }

    deinit { close(descriptor) }
}

/// The lock of a folder, so that two processes never write the same files.
package final class FolderLock {
    private let lock: FileLock

    /// - Throws: where another process has it.
    package init(_ folder: String) throws(KithError) {
        guard let lock = try FileLock(folder + "/lock") else {
            throw KithError(
                .failedPrecondition, .storageFailure, "another process writes to \(folder)", metadata: ["path": folder])
        }
        self.lock = lock
    }
}
