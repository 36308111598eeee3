import Foundation
import KithConsumers
import KithCore
import KithTelemetry
import Testing

/// What becomes of a change whose images were too large for Kafka.
@Suite struct ClaimedEventsTests {
    private let metrics = ConsumerMetrics()

    private static func message(_ id: String, _ operation: String, _ image: String, claim: Bool) -> String {
        let claim = claim ? #","claimCheck":{"eventId":"kith/1.0/1/0","bytes":"2000000"}"# : ""
        return """
            {"id":"\(id)","op":"CHANGE_OPERATION_\(operation)",\(image),
            "source":{"collection":"docs","collectionId":1,"position":"1"}\(claim)}
            """
    }

    private static let image = #""after":{"id":{"number":"1"},"version":"1","payloadJson":"{\"a\":1}"}"#
    private static let bare = #""after":{"id":{"number":"1"},"version":"1"}"#

    private static func answer(_ id: String = "kith/1.0/1/0", claim: Bool = false) -> Data {
        Data(#"{"event":\#(message(id, "CREATE", claim ? bare : image, claim: claim))}"#.utf8)
    }

    private func change(_ operation: String = "CREATE", _ image: String = bare, claim: Bool = true) throws -> ChangeRecord {
        let value = ClaimedEventsTests.message("kith/1.0/1/0", operation, image, claim: claim)
        return try ChangeRecord(
            ConsumedRecord(
                place: TopicPartition("kith.changes.v1.docs", 0), offset: 7, key: nil, value: Array(value.utf8),
                headers: [("content-type", Array("application/json".utf8))]))
    }

    private func claims(
        passes: Bool = false, _ fetch: ((String) throws(KithError) -> Data)? = nil
    ) -> ClaimedEvents {
        ClaimedEvents(passes: passes, metrics: metrics, retry: RetryDelay(first: .microseconds(1)), fetch: fetch)
    }

    /// Payload and fetched bytes; nil where the change is missing.
    private func whole(_ answer: ClaimedEvents.Answer) -> (payload: String?, bytes: Int)? {
        guard case .whole(let change, let bytes) = answer else { return nil }
        return (change.after?.payload, bytes)
    }

    @Test func imagesAreFetched() throws {
        var asked: [String] = []
        let claims = claims { event in
            asked.append(event)
            return ClaimedEventsTests.answer()
        }
        let found = try #require(whole(try claims.resolve(try change())))
        #expect(found.payload == #"{"a":1}"# && found.bytes == 2_000_000)
        #expect(asked == ["kith/1.0/1/0"] && metrics.fetched.current == 1)
    }

    @Test func whatIsWholeAndWhatIsDeletedNeedsNoServer() throws {
        let found = try #require(whole(try claims().resolve(try change("CREATE", ClaimedEventsTests.image, claim: false))))
        #expect(found.payload == #"{"a":1}"# && found.bytes == 0)
        let before = #""before":{"id":{"number":"1"},"version":"1"}"#
        #expect(whole(try claims().resolve(try change("DELETE", before))) != nil)
        #expect(metrics.fetched.current == 0)
    }

    @Test func withoutAServerItStopsOrGoesOn() throws {
        let change = try change()
        let error = #expect(throws: KithError.self) { try claims().resolve(change) }
        #expect(error?.reason == .invalidConfiguration && error?.message.contains("kith.changes.v1.docs[0]@7") == true)
        #expect(whole(try claims(passes: true).resolve(change)) == nil)
    }

    @Test(arguments: [ClaimedEventsTests.answer("kith/1.0/2/0"), ClaimedEventsTests.answer(claim: true), Data("{}".utf8)])
    func anAnswerThatIsNotTheEventIsLost(_ answer: Data) throws {
        let change = try change()
        let error = #expect(throws: KithError.self) { try claims { _ in answer }.resolve(change) }
        #expect(error?.reason == .positionTrimmed)
        #expect(whole(try claims(passes: true) { _ in answer }.resolve(change)) == nil)
    }

    @Test func aServerThatIsAwayIsAskedAFewTimes() throws {
        let change = try change()
        var attempts = 0
        func away(_: String) throws(KithError) -> Data {
            attempts += 1
            throw KithError(.unavailable, .serverUnreachable, "away")
        }
        // It comes back: to pass the change over would be too early.
        let error = #expect(throws: KithError.self) { try claims(passes: true, away).resolve(change) }
        #expect(error?.reason == .serverUnreachable && attempts == Limits.claimAttempts)
        attempts = 0
        func gone(_: String) throws(KithError) -> Data {
            attempts += 1
            throw KithError(.outOfRange, .positionTrimmed, "gone")
        }
        #expect(throws: KithError.self) { try claims(gone).resolve(change) }
        #expect(attempts == 1)
    }
}
