import Foundation
package import KithCore

/// A file of vectors and nothing else.
package protocol VectorFile: AnyObject {
    var element: ElementType { get }
    var file: InputFile { get }
    /// The next vector's components; nil at the end.
    func next() throws(KithError) -> [UInt8]?
}

/// NumPy's format: two-dimensional, C order, of `<f4`, `<f2`, `|u1` or `|i1`; one-dimensional is one vector.
package final class NpyFile: VectorFile {
    package let element: ElementType
    package let dimension: Int
    package let rows: Int
    package let file: InputFile
    private var read = 0

    package init(_ path: String) throws(KithError) {
        file = try InputFile(path)
        let start = try file.bytes(8)
        guard start.starts(with: [0x93] + Array("NUMPY".utf8)), start.count == 8, (1...3).contains(start[6]) else {
            throw NpyFile.bad(path, "does not begin as a .npy file")
        }
        let lengthBytes = start[6] == 1 ? 2 : 4
        let length = try file.bytes(lengthBytes).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= 1 << 16 else { throw NpyFile.bad(path, "has a header of \(length) bytes") }
        let header = String(decoding: try file.bytes(length), as: UTF8.self)
        guard let type = header.firstMatch(of: #/'descr':\s*'([^']*)'/#)?.1,
            let order = header.firstMatch(of: #/'fortran_order':\s*(True|False)/#)?.1,
            let shape = header.firstMatch(of: #/'shape':\s*\(([0-9, ]*)\)/#)?.1
        else { throw NpyFile.bad(path, "has a header that cannot be read") }
        let types: [Substring: ElementType] = ["<f4": .float32, "<f2": .float16, "|u1": .uint8, "|i1": .int8]
        guard let element = types[type] else {
            throw NpyFile.bad(path, "holds '\(type)'; only <f4, <f2, |u1 and |i1 can be read")
        }
        let numbers = shape.split(separator: ",").filter { !$0.allSatisfy { $0 == " " } }
        // A size that is no number of ours is left out, and then the shape is wrong.
        let sizes = numbers.compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard order == "False", sizes.count == numbers.count, sizes.count == 2 || sizes.count == 1, let last = sizes.last,
            (1...Limits.dimension).contains(last)
        else { throw NpyFile.bad(path, "has the shape (\(shape)); rows of vectors in C order are wanted") }
        self.element = element
        dimension = last
        rows = sizes.count == 2 ? sizes[0] : 1
    }

    package func next() throws(KithError) -> [UInt8]? {
        guard read < rows else { return nil }
        let size = element.byteCount(dimension: dimension)
        let bytes = try file.bytes(size)
        guard bytes.count == size else {
            throw NpyFile.bad(file.path, "ends in row \(read + 1) of \(rows)")
        }
        read += 1
        return bytes
    }

    fileprivate static func bad(_ path: String, _ what: String) -> KithError {
        .usage("\(path) \(what)", key: path)
    }
}

/// The formats of the TEXMEX corpora: each vector is its dimension as an int32, then its components.
package final class VecsFile: VectorFile {
    package let element: ElementType
    package let file: InputFile
    private var read = 0

    /// - Parameter element: float32 for .fvecs, uint8 for .bvecs.
    package init(_ path: String, _ element: ElementType) throws(KithError) {
        file = try InputFile(path)
        self.element = element
    }

    package func next() throws(KithError) -> [UInt8]? {
        let head = try file.bytes(4)
        if head.isEmpty { return nil }
        let dimension = head.count == 4 ? head.withUnsafeBytes { Int($0.littleEndian(at: 0, as: Int32.self)) } : 0
        guard (1...Limits.dimension).contains(dimension) else {
            throw NpyFile.bad(file.path, "has a vector of dimension \(dimension) in row \(read + 1)")
        }
        let size = element.byteCount(dimension: dimension)
        let bytes = try file.bytes(size)
        guard bytes.count == size else { throw NpyFile.bad(file.path, "ends in row \(read + 1)") }
        read += 1
        return bytes
    }
}
