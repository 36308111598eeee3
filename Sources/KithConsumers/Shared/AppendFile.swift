import Glibc
import KithCommands
package import KithCore

/// A file that only grows, or is cut back to what was known to be whole.
package final class AppendFile {
    package let path: String
    private let descriptor: Int32
    /// Bytes of the file.
    package private(set) var size: Int

    /// Opens a file, and makes it where it is missing. The caller syncs the folder, if the file's being there matters.
    package init(_ path: String) throws(KithError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Files.system("open", path) }
        self.path = path
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else {
            close(descriptor)
            throw Files.system("seek in", path)
        }
        size = Int(end)
    }

    deinit { close(descriptor) }

    package func append(_ bytes: [UInt8]) throws(KithError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(size)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Files.system("write", path) }
            size += count
            rest = rest.dropFirst(count)
        }
    }

    /// Cuts the file back to its first `count` bytes.
    package func truncate(to count: Int) throws(KithError) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw Files.system("truncate", path) }
        size = count
    }

    package func sync() throws(KithError) {
        guard fdatasync(descriptor) == 0 else { throw Files.system("sync", path) }
    }
}
