import Glibc
import KithStorage
import Synchronization

/// A folder of one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/kith-collections-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        // Nodes close before their folder goes.
        held.withLock { $0 = [] }
        try? Directory.remove(path)
    }

    private let held = Mutex<[any AnyObject & Sendable]>([])

    /// Keeps an object as long as the folder: a node that nobody holds closes.
    func hold<Object: AnyObject & Sendable>(_ object: Object) -> Object {
        held.withLock { $0.append(object) }
        return object
    }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// Every file below `path`, folders left out.
func files(below path: String) throws -> [String] {
    try Directory.names(in: path).flatMap { name -> [String] in
        let child = "\(path)/\(name)"
        var status = stat()
        guard lstat(child, &status) == 0 else { return [] }
        return status.st_mode & S_IFMT == S_IFDIR ? try files(below: child) : [child]
    }
}

/// Copies a folder as it lies there: what a crash at this moment would leave, when nothing is being written.
func copyFolder(_ from: String, to: String) throws {
    try Directory.create(to)
    for name in try Directory.names(in: from) {
        var status = stat()
        guard lstat("\(from)/\(name)", &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
            try copyFolder("\(from)/\(name)", to: "\(to)/\(name)")
        } else {
            copyFile("\(from)/\(name)", to: "\(to)/\(name)")
        }
    }
}

/// What GNU headers call `SEEK_DATA` and `SEEK_HOLE`.
private let seekData: Int32 = 3
private let seekHole: Int32 = 4

private func copyFile(_ from: String, to: String) {
    let source = open(from, O_RDONLY)
    let target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer {
        close(source)
        close(target)
    }
    var status = stat()
    fstat(source, &status)
    ftruncate(target, status.st_size)
    // Holes stay holes: segments are sparse.
    var offset: off_t = 0
    while case let start = lseek(source, offset, seekData), start >= 0 {
        var position = start
        offset = lseek(source, start, seekHole)
        while position < offset {
            var buffer = [UInt8](repeating: 0, count: min(1 << 20, Int(offset - position)))
            let read = pread(source, &buffer, buffer.count, position)
            guard read > 0 else { return }
            pwrite(target, buffer, read, position)
            position += off_t(read)
        }
    }
}

/// Inverts the byte in the middle of a file.
func damage(_ path: String) {
    let file = open(path, O_RDWR)
    defer { close(file) }
    var status = stat()
    fstat(file, &status)
    var byte: UInt8 = 0
    pread(file, &byte, 1, status.st_size / 2)
    byte = ~byte
    pwrite(file, &byte, 1, status.st_size / 2)
}
