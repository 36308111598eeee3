import KithCommands
import KithCore
import Testing

@Suite struct JSONLReaderTests {
    private func read(_ text: String, names: FieldNames = FieldNames(), skip: Int = 0) throws -> [Row] {
        let file = try SampleFile(text)
        return try withExtendedLifetime(file) { try rows(try JSONLReader(file.path, names: names, skip: skip)) }
    }

    @Test func readsIDsVectorsAndPayloads() throws {
        let read = try read(
            """
            {"id":1,"vector":[1,2.5],"payload":{"a": 1.0}}

            {"id":"x","vectors":{"image":[1],"text":[2]},"title":"T","year":1999,"big":12345678901234567890}
            {"id":"6e8bc430-9c3a-11d9-9669-0800200c9a66","vector":null,"payload":null}
            """)
        #expect(read.map(\.number) == [1, 3, 4])
        #expect(read[0].id == .number(1))
        #expect(read[0].numbers == [1, 2.5])
        #expect(read[0].payload == #"{"a": 1.0}"#)
        #expect(try read[1].point.get().vectors.map(\.space) == ["image", "text"])
        #expect(read[1].payload == #"{"title":"T","year":1999,"big":12345678901234567890}"#)
        #expect(read[2].id == .uuid(PointID.UUIDBytes(high: 0x6E8B_C430_9C3A_11D9, low: 0x9669_0800_200C_9A66)))
        #expect(read[2].payload == "")
        #expect(try read[2].point.get().vectors.isEmpty)
    }

    @Test func badRowsDoNotEndTheFile() throws {
        let read = try read(
            """
            {"vector":[1]}
            {"id":-1}
            {"id":1.5}
            {"id":""}
            {"id":1,"vector":["a"]}
            {"id":1,"vector":"%%%"}
            oops
            {"id":9}
            """)
        #expect(read.count == 8)
        #expect(read.dropLast().allSatisfy { $0.reason != nil })
        #expect(read[0].reason == "there is no field 'id'")
        #expect(read[7].id == .number(9))
    }

    @Test func fieldsCanHaveOtherNames() throws {
        var names = FieldNames()
        names.id = "key"
        names.vector = "embedding"
        let read = try read(#"{"key":7,"embedding":[1],"id":"part of the payload"}"#, names: names)
        #expect(read[0].id == .number(7))
        #expect(read[0].numbers == [1])
        #expect(read[0].payload == #"{"id":"part of the payload"}"#)
    }

    @Test func goesOnAfterARow() throws {
        let read = try read("{\"id\":1}\nbroken\n{\"id\":3}\r\n{\"id\":4}", skip: 2)
        #expect(read.map(\.number) == [3, 4])
        #expect(read.map(\.id) == [.number(3), .number(4)])
    }
}
