import Foundation
import Glibc
import KithCore

/// Results on standard output, everything else on standard error.
enum Console {
    static func print(_ line: String) { write(FileHandle.standardOutput, line) }
    static func note(_ line: String) { write(FileHandle.standardError, line) }

    private static func write(_ handle: FileHandle, _ line: String) {
        // Where nobody reads any more there is nobody to tell either.
        try? handle.write(contentsOf: Data((line + "\n").utf8))
    }
}

/// Whole files and folders.
enum Files {
    static func checkWritable(_ path: String) throws(KithError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK) == 0 else { throw .usage("--json \(path): cannot write into \(folder)") }
    }

    static func write(_ data: Data, to path: String) throws(KithError) {
        do { try data.write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw .failed("cannot write \(path): \(error.localizedDescription)")
        }
    }

    /// A new folder that nobody else has.
    static func temporaryFolder() throws(KithError) -> String {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(parent)/kith-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .failed("cannot make a folder in \(parent): \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Bytes of disk that a folder takes, holes in its files not counted.
    static func diskBytes(_ folder: String) -> Int {
        var bytes = 0
        let names = FileManager.default.enumerator(atPath: folder)
        while let name = names?.nextObject() as? String {
            var status = stat()
            if lstat("\(folder)/\(name)", &status) == 0 { bytes += Int(status.st_blocks) * 512 }
        }
        return bytes
    }
}

/// The text, filled up with spaces.
func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

/// The text, moved to the right of its column.
func padLeft(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

/// A whole number as people read it: 12,345.
func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return (number < 0 ? "-" : "") + String(digits)
}
