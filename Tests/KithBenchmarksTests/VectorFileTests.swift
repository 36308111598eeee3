import Foundation
import TestSupport
import Testing

/// Benchmarks over files: what is read is what is searched.
@Suite struct VectorFileTests {
    private static let dimension = 8
    private static let count = 400

    /// Vectors of whole numbers, which every element type can hold; the first are the queries too.
    private static var vectors: [[UInt8]] {
        var random = SeededGenerator(seed: 3)
        return (0..<count).map { _ in (0..<dimension).map { _ in UInt8.random(in: 0...99, using: &random) } }
    }

    private static func bytes(_ vectors: [[UInt8]], isFloat: Bool) -> Data {
        var data = Data()
        for vector in vectors {
            for value in vector {
                if isFloat { withUnsafeBytes(of: Float(value)) { data.append(contentsOf: $0) } } else { data.append(value) }
            }
        }
        return data
    }

    private static func numpy(_ type: String, rows: Int, columns: Int, _ content: Data) -> Data {
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        header += String(repeating: " ", count: 63 - (header.count + 10) % 64) + "\n"
        return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count & 255), UInt8(header.count >> 8)])
            + Data(header.utf8) + content
    }

    /// Each vector after its dimension.
    private static func vecs(_ vectors: [[UInt8]]) -> Data {
        vectors.reduce(into: Data()) { data, vector in
            withUnsafeBytes(of: Int32(vector.count)) { data.append(contentsOf: $0) }
            data += bytes([vector], isFloat: true)
        }
    }

    /// The nearest of each query: itself, and nine others by their distance.
    private static func truth(_ vectors: [[UInt8]], queries: Int) -> Data {
        var data = Data()
        for query in vectors.prefix(queries) {
            let order = vectors.indices.sorted { distance(query, vectors[$0]) < distance(query, vectors[$1]) }
            for index in order.prefix(10) { withUnsafeBytes(of: Int32(index)) { data.append(contentsOf: $0) } }
        }
        return data
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        zip(a, b).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    }

    @Test(arguments: ["npy", "fvecs"], ["f32", "u8"])
    func flatFindsTheGivenTruth(_ format: String, _ element: String) throws {
        let folder = try TemporaryFolder()
        let vectors = VectorFileTests.vectors
        let queries = Array(vectors.prefix(20))
        func write(_ name: String, _ data: Data) throws -> String {
            try data.write(to: URL(filePath: folder(name)))
            return folder(name)
        }
        func file(_ name: String, _ rows: [[UInt8]]) throws -> String {
            if format == "fvecs" { return try write("\(name).fvecs", VectorFileTests.vecs(rows)) }
            let content = VectorFileTests.bytes(rows, isFloat: element == "f32")
            return try write(
                "\(name).npy",
                VectorFileTests.numpy(
                    element == "f32" ? "<f4" : "|u1", rows: rows.count, columns: VectorFileTests.dimension, content))
        }
        let truth = VectorFileTests.numpy("<i4", rows: 20, columns: 10, VectorFileTests.truth(vectors, queries: 20))
        let report = try BenchmarkProcess.report([
            "index", "--tiny", "--kind", "flat", "--metric", "l2", "--element", element, "--base", try file("base", vectors),
            "--queries", try file("queries", queries), "--truth", try write("truth.npy", truth),
        ])
        let rows = report["results"].list.filter { $0["name"].string == "index search" }.flatMap { $0["rows"].list }
        #expect(!rows.isEmpty)
        for row in rows { #expect(row["recall"].double == 1) }
    }

    @Test func damagedFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let content = VectorFileTests.bytes(VectorFileTests.vectors, isFloat: true)
        let whole = VectorFileTests.numpy("<f4", rows: 400, columns: 8, content)
        let damaged: [Data] = [
            Data(), Data("text".utf8), whole.dropLast(), whole.prefix(40),
            VectorFileTests.numpy("<c8", rows: 4, columns: 8, content),
        ]
        for (number, data) in damaged.enumerated() {
            let path = folder("\(number).npy")
            try data.write(to: URL(filePath: path))
            let process = try BenchmarkProcess(["index", "--tiny", "--base", path, "--queries", path])
            #expect(process.wait() == 2, "file \(number): \(process.output)")
        }
    }
}
