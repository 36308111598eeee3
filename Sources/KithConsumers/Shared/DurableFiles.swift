import Foundation
import Glibc
import KithCommands
package import KithCore

/// Folders and small files that survive a power cut.
package enum DurableFiles {
    /// Makes a folder and those above it.
    package static func makeFolder(_ path: String) throws(KithError) {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw KithError(
                .failedPrecondition, .storageFailure, "cannot make folder \(path): \(error.localizedDescription)",
                metadata: ["path": path])
        }
    }

    /// Puts `bytes` in the place of what was there: whoever reads it, also after a power cut, has the one or the other whole.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(KithError) {
        let next = path + ".next"
        let file = try AppendFile(next)
        try file.truncate(to: 0)
        try file.append(bytes)
        try file.sync()
        guard rename(next, path) == 0 else { throw Files.system("rename", next) }
        try syncFolder(of: path)
    }

    /// What was made, renamed or removed in the folder of `path` stays so.
    package static func syncFolder(of path: String) throws(KithError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Files.system("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Files.system("sync", folder) }
    }

    /// Names in a folder, sorted; none where there is no such folder.
    package static func names(in folder: String) throws(KithError) -> [String] {
        guard Files.exists(folder) else { return [] }
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            throw KithError(
                .failedPrecondition, .storageFailure, "cannot list \(folder): \(error.localizedDescription)",
                metadata: ["path": folder])
        }
    }
}
