import KithAPI
import KithCommands
import KithConsumers
import KithCore
import TestSupport
import Testing

/// Records of strangers to operations.
@Suite struct RecordMappingTests {
    private func mapping(_ text: String) throws -> RecordMapping { try RecordMapping(Array(text.utf8), name: "m.json") }

    private func operation(_ mapping: RecordMapping, _ value: String?, key: String? = nil) throws -> ClientOperation {
        try mapping.operation(
            of: ConsumedRecord(
                place: TopicPartition("t", 0), offset: 0, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }),
            SpaceVectors([], defaultSpace: ""))
    }

    private func payload(_ operation: ClientOperation) -> String? {
        guard case .upsert(_, let payload, _) = operation.action else { return nil }
        return payload
    }

    @Test func fieldsFindTheirPlace() throws {
        let mapping = try mapping(#"{"collection":"c","id":"after.sku","payload":["after.name","price"]}"#)
        let operation = try operation(mapping, #"{"after":{"sku":"a-1","name":"sea","other":1},"price":1.50,"more":2}"#)
        #expect(operation.id == .string("a-1"))
        #expect(payload(operation) == #"{"name":"sea","price":1.50}"#)
    }

    @Test func withoutAListEverythingElseIsPayload() throws {
        let operation = try operation(
            try mapping(#"{"collection":"c","id":"id","vectors":{"":"v"}}"#), #"{"v":null,"id":7,"a":[1],"b":"x"}"#)
        #expect(operation.id == .number(7))
        #expect(payload(operation) == #"{"a":[1],"b":"x"}"#)
    }

    @Test func deletionsAreMarkedOrEmpty() throws {
        let marked = try mapping(#"{"collection":"c","id":"id","delete":{"field":"op","equals":"d"}}"#)
        guard case .delete = try operation(marked, #"{"id":1,"op":"d"}"#).action else { throw Poison("no deletion") }
        #expect(payload(try operation(marked, #"{"id":1,"op":"c"}"#)) == #"{"op":"c"}"#)
        #expect(throws: Poison.self) { try operation(marked, nil, key: "1") }
        let keyed = try mapping(#"{"collection":"c","id":"$key"}"#)
        let gone = try operation(keyed, nil, key: "12")
        guard case .delete = gone.action else { throw Poison("no deletion") }
        #expect(gone.id == .number(12))
    }

    @Test(arguments: ["", "{", "[]", "7", #"{"id":-1}"#, #"{"id":{}}"#, #"{"no":1}"#, #"{"id":1,"v":[1,2]}"#, #"{"id":""}"#])
    func badRecordsSayWhy(_ value: String) throws {
        let mapping = try mapping(#"{"collection":"c","id":"id","vectors":{"":"v"}}"#)
        let poison = #expect(throws: Poison.self) { try operation(mapping, value) }
        #expect(poison?.reason.isEmpty == false)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"collection":"c"}"#, #"{"collection":"","id":"a"}"#, #"{"collection":"c","id":""}"#,
        #"{"collection":"c","id":"a","vector":"b"}"#, #"{"collection":"c","id":"a","payload":"b"}"#,
    ])
    func badMappingsSayWhy(_ text: String) {
        let error = #expect(throws: KithError.self) { try mapping(text) }
        #expect(error?.reason == .invalidConfiguration)
    }

    @Test func damageNeverCrashes() throws {
        let example = #"{"collection":"c","id":"a.b","vectors":{"":"v"},"payload":["x"],"delete":{"field":"op","equals":"d"}}"#
        let mapping = try mapping(example)
        Fuzzing.run(rounds: 300, seed: 51) { generator in
            _ = try? RecordMapping(Fuzzing.mutated(Array(example.utf8), &generator), name: "fuzzed")
            let record = Fuzzing.mutated(Array(#"{"a":{"b":"i"},"v":[0.5,1e3],"x":{"y":"z\u00e9"},"op":"c"}"#.utf8), &generator)
            _ = try? operation(mapping, String(decoding: record, as: UTF8.self))
        }
    }
}
