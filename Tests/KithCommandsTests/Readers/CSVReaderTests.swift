import KithCommands
import KithCore
import Testing

@Suite struct CSVReaderTests {
    private func read(
        _ text: String, id: String = "id", vector: CSVReader.VectorColumns? = nil, skip: Int = 0
    ) throws -> [Row] {
        let file = try SampleFile(text)
        return try withExtendedLifetime(file) { try rows(try CSVReader(file.path, idColumn: id, vector: vector, skip: skip)) }
    }

    @Test func quotesAndLineEnds() throws {
        let read = try read("id,text\r\n1,\"a, \"\"b\"\"\nc\"\r\n2,plain\n", vector: nil)
        #expect(read.map(\.number) == [2, 4])
        #expect(read[0].payload == #"{"text":"a, \"b\"\nc"}"#)
        #expect(read[1].payload == #"{"text":"plain"}"#)
    }

    @Test func cellsHaveTypes() throws {
        let read = try read("id,a,b,c,d,e,f,g\nx,1,-2.5,true,007,,1e5,0.5\n")
        #expect(read[0].id == .string("x"))
        #expect(read[0].payload == #"{"a":1,"b":-2.5,"c":true,"d":"007","f":"1e5","g":0.5}"#)
    }

    @Test func vectorsInColumnsOrAnArray() throws {
        let columns = try read("v0,id,v1,name\n1,7,2,n\n", vector: .components(["v*"]))
        #expect(columns[0].numbers == [1, 2])
        #expect(columns[0].payload == #"{"name":"n"}"#)
        let named = try read("x,y,id\n1,2,7\n", vector: .components(["y", "x"]))
        #expect(named[0].numbers == [2, 1])
        let array = try read("id,e\n7,\"[1,2,3]\"\n", vector: .array("e"))
        #expect(array[0].numbers == [1, 2, 3])
    }

    @Test func badRecordsAreTold() throws {
        let read = try read("id,v\n1\n,1\n2,x\n3,\"a\"b\n4,1\n5,\"open\n", vector: .components(["v"]))
        #expect(read.map(\.number) == [2, 3, 4, 5, 6, 7])
        #expect(read[0].reason == "has 1 cells, the header has 2")
        #expect(read[1].reason == "the id is empty")
        #expect(read[2].reason == "'x' is not a number that fits")
        #expect(read[3].reason == "text follows a quote at byte 6")
        #expect(read[4].numbers == [1])
        #expect(read[5].reason == "a quote does not end")
    }

    @Test func columnsMustBeThere() throws {
        #expect(throws: KithError.self) { try read("a,b\n1,2\n") }
        #expect(throws: KithError.self) { try read("id,b\n1,2\n", vector: .components(["v*"])) }
        #expect(throws: KithError.self) { try read("") }
    }

    @Test func goesOnAfterARecord() throws {
        let read = try read("id\n1\n2\n3\n", skip: 3)
        #expect(read.map(\.id) == [.number(3)])
    }
}
