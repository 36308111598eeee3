import CGRPCShim
import Testing
import TestSupport

@Suite struct FuzzTests {
    /// Mutated messages are accepted exactly when libprotobuf's own parser accepts them.
    @Test(arguments: RequestKind.allCases)
    func mutationsAgreeWithProtobuf(kind: RequestKind) throws {
        let example = try #require(serialised(kind.type, kind.example))
        var disagreements: [[UInt8]] = []
        Fuzzing.run(rounds: 10_000, seed: 42) { generator in
            let bytes = Fuzzing.mutated(example, &generator)
            if kind.decodes(bytes) != (json(kind.type, bytes) != nil) {
                disagreements.append(bytes)
            }
        }
        #expect(disagreements.isEmpty, "\(disagreements.count), such as \(disagreements.first ?? [])")
    }

    @Test(arguments: RequestKind.allCases)
    func randomBytesNeverCrash(kind: RequestKind) {
        Fuzzing.run(rounds: 2_000, seed: 7) { generator in
            let bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(kind.decodes(bytes) == (json(kind.type, bytes) != nil), "\(bytes)")
        }
    }

    /// What random bytes found, and what is like it: unknown groups, with tags in them that are too long, too deep or not theirs.
    @Test(arguments: RequestKind.allCases)
    func unknownGroupsAgreeWithProtobuf(kind: RequestKind) {
        let longTag: [UInt8] = [0xC5, 0x94, 0xCB, 0xCB, 0x8B, 0xA5, 0x4F]
        let groups: [[UInt8]] = [
            [0xFB, 0x07, 0xFC, 0x07], [0xFB, 0x07], [0xFB, 0x07, 0xF4, 0x07], [0xFC, 0x07], [0x03, 0x04],
            [0xFB, 0x07, 0x03, 0x04, 0xFC, 0x07], [0xFB, 0x07] + longTag + [1, 0xFC, 0x07],
            [0xFB, 0x07, 0x85, 0x80, 0x80, 0x80, 0x08, 1, 2, 3, 4, 0xFC, 0x07],
        ]
        let nested = [98, 99, 100, 101, 102, 500].map { depth in
            (0..<2 * depth).flatMap { [$0 < depth ? 0xFB : 0xFC, 0x07] as [UInt8] }
        }
        for bytes in groups + nested {
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
        Fuzzing.run(rounds: 10_000, seed: 3) { generator in
            let answer = answers[Int.random(in: 0..<answers.count, using: &generator)]
            withBytes(Fuzzing.mutated(answer, &generator)) { bytes in
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
}
