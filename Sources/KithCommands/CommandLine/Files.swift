package import Foundation
import Glibc
package import KithCore

/// Whole files and folders, with errors that name them.
package enum Files {
    package static func read(_ path: String) throws(KithError) -> Data {
        do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch { throw failure("read", path, error) }
    }

    /// Puts `text` in the place of what was there, so that a reader sees the one or the other whole.
    package static func replace(_ path: String, with text: String) throws(KithError) {
        do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw failure("write", path, error)
        }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func remove(_ path: String) throws(KithError) {
        guard exists(path) else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch { throw failure("remove", path, error) }
    }

    /// A new folder that nobody else has.
    package static func temporaryFolder(_ name: String) throws(KithError) -> String {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw system("make a folder in", parent) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A failed system call, by `errno`.
    package static func system(_ what: String, _ path: String) -> KithError {
        KithError(
            .failedPrecondition, .storageFailure, "cannot \(what) \(path): \(String(cString: strerror(errno)))",
            metadata: ["path": path])
    }

    private static func failure(_ what: String, _ path: String, _ cause: any Error) -> KithError {
        KithError(
            .failedPrecondition, .storageFailure, "cannot \(what) \(path): \(cause.localizedDescription)",
            metadata: ["path": path])
    }
}
