import CGRPCShim
import Testing

@Suite struct FuzzTests {
    /// Mutated messages are accepted exactly when libprotobuf's own parser accepts them.
    @Test(arguments: RequestKind.allCases)
    func mutationsAgreeWithProtobuf(kind: RequestKind) throws {
        let example = try #require(serialised(kind.type, kind.example))
        var generator = SeededGenerator(seed: 42)
        var disagreements: [[UInt8]] = []
        for _ in 0..<10_000 {
            let bytes = mutated(example, &generator)
            if kind.decodes(bytes) != (json(kind.type, bytes) != nil) {
                disagreements.append(bytes)
            }
        }
        #expect(disagreements.isEmpty, "\(disagreements.count), such as \(disagreements.first ?? [])")
    }

    @Test(arguments: RequestKind.allCases)
    func randomBytesNeverCrash(kind: RequestKind) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(kind.decodes(bytes) == (json(kind.type, bytes) != nil), "\(bytes)")
        }
    }

    @Test func answersNeverCrashClients() throws {
        let answers = try [
            #require(
                serialised(
                    "kith.v1.WriteResponse",
                    #"{"outcomes":[{"result":"RESULT_CREATED","version":"1","error":"é"}],"replayed":true}"#)),
            #require(
                serialised("kith.v1.SearchResponse", #"{"results":[{"id":{"number":"1"},"score":0.5,"payloadJson":"{}"}]}"#)),
            #require(serialised("kith.v1.UpsertStreamResponse", #"{"ack":{"sequenceFrom":"1","sequenceTo":"9"}}"#)),
        ]
        var generator = SeededGenerator(seed: 3)
        for number in 0..<10_000 {
            withBytes(mutated(answers[number % answers.count], &generator)) { bytes in
                var write = KithWriteResponseView()
                kith_message_free(kith_decode_write_response(bytes, &write))
                var search = KithSearchOutcomeView()
                kith_message_free(kith_decode_search_response(bytes, &search))
                var points = KithPointsView()
                kith_message_free(kith_decode_get_response(bytes, &points))
                kith_message_free(kith_decode_scroll_response(bytes, &points))
                kith_message_free(kith_decode_export_response(bytes, &points))
                var answer = KithStreamAnswerView()
                kith_message_free(kith_decode_upsert_stream_response(bytes, &answer))
            }
        }
    }

    /// One to four changes: a byte replaced, a bit flipped, a byte removed or added, the end cut off, a part repeated.
    private func mutated(_ example: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = example
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            case 4: bytes.removeLast(bytes.count - place)
            default: bytes.append(contentsOf: bytes[place..<min(place + 16, bytes.count)])
            }
        }
        return bytes
    }
}
