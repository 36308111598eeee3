import Glibc
package import KithCore

/// A file or a pipe, read front to back through one buffer.
package final class InputFile {
    private static let bufferBytes = 1 << 20

    package let path: String
    private let descriptor: Int32
    private var buffer: [UInt8]
    private var filled: Range<Int> = 0..<0
    /// Bytes handed out.
    package private(set) var offset = 0
    /// Nil for what is no regular file.
    package let size: Int?

    /// - Parameter path: `-` is standard input.
    package init(_ path: String) throws(KithError) {
        self.path = path
        descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Files.system("read", path) }
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isRegular ? Int(status.st_size) : nil
        buffer = [UInt8](repeating: 0, count: InputFile.bufferBytes)
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// The next line without its end, at most `limit` bytes of it; nil at the end. Answers whether there was more of it.
    package func line(limit: Int) throws(KithError) -> (bytes: [UInt8], isCut: Bool)? {
        var line: [UInt8] = []
        var isCut = false
        while true {
            if filled.isEmpty, try !fill() { return line.isEmpty && !isCut ? nil : (line, isCut) }
            let end = buffer[filled].firstIndex(of: UInt8(ascii: "\n"))
            let part = buffer[filled.lowerBound..<(end ?? filled.upperBound)]
            let room = limit - line.count
            isCut = isCut || part.count > room
            line.append(contentsOf: part.prefix(room))
            advance(part.count + (end == nil ? 0 : 1))
            guard end != nil else { continue }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            return (line, isCut)
        }
    }

    /// Exactly `count` bytes; fewer only at the end.
    package func bytes(_ count: Int) throws(KithError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            if filled.isEmpty, try !fill() { break }
            let part = buffer[filled].prefix(count - bytes.count)
            bytes.append(contentsOf: part)
            advance(part.count)
        }
        return bytes
    }

    private func advance(_ count: Int) {
        filled = filled.lowerBound + count..<filled.upperBound
        offset += count
    }

    private func fill() throws(KithError) -> Bool {
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Files.system("read", path) }
            filled = 0..<count
            return count > 0
        }
    }
}
