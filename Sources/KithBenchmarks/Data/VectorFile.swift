import CVectorKernels
import Foundation
import KithCore

/// A matrix in a file: NumPy's .npy (two-dimensional, C order), or .fvecs, .bvecs and .ivecs of the TEXMEX corpora.
struct VectorFile {
    enum Number {
        case float32, float16, int8, uint8, int32, int64

        var size: Int {
            switch self {
            case .int8, .uint8: 1
            case .float16: 2
            case .float32, .int32: 4
            case .int64: 8
            }
        }
    }

    let path: String
    let rows: Int
    let columns: Int
    private let data: Data
    private let number: Number
    /// Where row 0 begins, and from one row to the next.
    private let start: Int
    private let stride: Int

    init(_ path: String) throws(KithError) {
        self.path = path
        do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) } catch {
            throw .usage("cannot read \(path): \(error.localizedDescription)")
        }
        let vecs: [String: Number] = ["fvecs": .float32, "bvecs": .uint8, "ivecs": .int32]
        if let number = vecs[URL(fileURLWithPath: path).pathExtension] {
            guard data.count >= 4 else { throw .usage("\(path) is too short") }
            self.number = number
            columns = Int(data.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) })
            start = 4
            stride = 4 + columns * number.size
            rows = columns > 0 ? data.count / stride : 0
        } else {
            let header = try NumPyHeader(data, path)
            (number, rows, columns, start) = (header.number, header.rows, header.columns, header.byteCount)
            stride = columns * number.size
        }
        guard rows > 0, columns > 0, start + (rows - 1) * stride + columns * number.size <= data.count else {
            throw .usage("\(path) is not a whole matrix")
        }
    }

    /// The first `limit` rows in the space's element type.
    func vectors(_ space: VectorSpace, limit: Int = .max) throws(KithError) -> VectorSet {
        let set = try VectorSet(space, count: min(rows, limit))
        var components = [Float](repeating: 0, count: columns)
        for row in 0..<set.count {
            read(row, &components)
            try components.withUnsafeBufferPointer { (buffer) throws(KithError) in
                if let start = buffer.baseAddress { try set.set(row, start) }
            }
        }
        return set
    }

    /// One row of whole numbers.
    func integers(_ row: Int) -> [Int] {
        var components = [Float](repeating: 0, count: columns)
        switch number {
        case .int32, .int64: return (0..<columns).map { integer(row, $0) }
        case .float32, .float16, .int8, .uint8:
            read(row, &components)
            return components.map { Int($0) }
        }
    }

    private func integer(_ row: Int, _ column: Int) -> Int {
        let offset = start + row * stride + column * number.size
        return data.withUnsafeBytes {
            number == .int64
                ? Int($0.loadUnaligned(fromByteOffset: offset, as: Int64.self))
                : Int($0.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
    }

    private func read(_ row: Int, _ components: inout [Float]) {
        let elements: [Number: ElementType] = [.float32: .float32, .float16: .float16, .int8: .int8, .uint8: .uint8]
        guard let element = elements[number] else {
            for column in 0..<columns { components[column] = Float(integer(row, column)) }
            return
        }
        data.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            kith_vector_widen(element.rawValue, base + start + row * stride, columns, &components)
        }
    }
}

/// The first lines of a .npy file.
private struct NumPyHeader {
    let number: VectorFile.Number
    let rows: Int
    let columns: Int
    let byteCount: Int

    init(_ data: Data, _ path: String) throws(KithError) {
        guard data.count > 12, data.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw .usage("\(path) is neither .npy nor .fvecs, .bvecs or .ivecs")
        }
        let isFirstVersion = data[6] == 1
        let length = data.withUnsafeBytes {
            isFirstVersion
                ? Int($0.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
                : Int($0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        }
        byteCount = (isFirstVersion ? 10 : 12) + length
        let text = String(decoding: data.prefix(byteCount).dropFirst(isFirstVersion ? 10 : 12), as: UTF8.self)
        let types: [Substring: VectorFile.Number] = [
            "<f4": .float32, "<f2": .float16, "|i1": .int8, "|u1": .uint8, "<i4": .int32, "<u4": .int32, "<i8": .int64,
            "<u8": .int64,
        ]
        guard let type = text.firstMatch(of: #/'descr':\s*'([^']*)'/#)?.1, let number = types[type] else {
            throw .usage("\(path) holds numbers that cannot be read here; use f4, f2, i1, u1, i4 or i8")
        }
        let sizes = (text.firstMatch(of: #/'shape':\s*\(([0-9, ]*)\)/#)?.1 ?? "")
            .split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard sizes.count == 2, text.contains("'fortran_order': False") else {
            throw .usage("\(path) is not a matrix in C order")
        }
        self.number = number
        rows = sizes[0]
        columns = sizes[1]
    }
}
