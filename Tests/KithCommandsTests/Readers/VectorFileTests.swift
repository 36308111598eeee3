import KithCommands
import KithCore
import Testing

@Suite struct VectorFileTests {
    private func npy(_ description: String, _ body: [UInt8]) -> [UInt8] {
        let header = Array(description.utf8)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header + body
    }

    @Test func readsNpy() throws {
        var body: [UInt8] = []
        for value in [1, -2, 0.5, 65_504] as [Float16] { body.appendLittleEndian(value.bitPattern) }
        let file = try SampleFile(npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }\n", body))
        let read = try rows(try VectorFileReader(try NpyFile(file.path), payloads: nil, names: FieldNames()))
        #expect(read.map(\.id) == [.number(0), .number(1)])
        let vector = try #require(try read[1].point.get().vectors.first)
        #expect(vector.components == .stored(Array(body[4...]), .float16))
        #expect(VectorComponents.floats(Array(body), .float16) == [1, -2, 0.5, 65_504])
    }

    @Test(arguments: [
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", "{}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999), }",
    ])
    func otherNpyFilesAreRefused(_ header: String) throws {
        let file = try SampleFile(npy(header, [UInt8](repeating: 0, count: 64)))
        #expect(throws: KithError.self) { try NpyFile(file.path) }
    }

    @Test func aFileThatEndsEarlyIsTold() throws {
        let file = try SampleFile(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", [1, 2, 3, 4]))
        let vectors = try NpyFile(file.path)
        #expect(try vectors.next() == [1, 2, 3])
        #expect(throws: KithError.self) { try vectors.next() }
    }

    @Test func readsVecsWithPayloads() throws {
        let vectors = try SampleFile([2, 0, 0, 0, 7, 8, 2, 0, 0, 0, 9, 10, 2, 0, 0, 0, 1, 1])
        let payloads = try SampleFile("{\"id\":\"a\",\"n\":1}\nbroken\n")
        let reader = try VectorFileReader(
            try VecsFile(vectors.path, .uint8), payloads: payloads.path, names: FieldNames())
        let read = try rows(reader)
        #expect(read.count == 3)
        #expect(read[0].id == .string("a"))
        #expect(read[0].payload == #"{"n":1}"#)
        #expect(read[1].reason == "'broken' is not a JSON object")
        #expect(read[2].reason == "there is no line of payload for this vector")
    }

    @Test(arguments: [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [1, 0], [2, 0, 0, 0, 1]] as [[UInt8]])
    func damagedVecsAreRefused(_ bytes: [UInt8]) throws {
        let file = try SampleFile(bytes)
        let vectors = try VecsFile(file.path, .float32)
        #expect(throws: KithError.self) { try vectors.next() }
    }
}
