import Glibc
import KithCore

/// RocksDB's lock on the folder of a database, for one who only reads: nobody opens the database for writing meanwhile.
///
/// As POSIX has it, a lock is the process's: it does not keep out this process itself.
final class FolderLock: Sendable {
    private let file: File

    /// - Throws: `STORAGE_FAILURE` with code `failedPrecondition` where another process has the database open.
    init(_ folder: String) throws(KithError) {
        guard access("\(folder)/CURRENT", F_OK) == 0 else {
            throw KithError(.notFound, .storageFailure, "there is no database in \(folder)", metadata: ["path": folder])
        }
        file = try File("\(folder)/LOCK", O_RDWR)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(file.descriptor, F_SETLK, &lock) == 0 else { throw alreadyOpen(folder) }
    }
}
