import Foundation
import TestSupport
import Testing

/// The contract with consumers: what was published once is read today as it was then, and what is published today looks as it did.
///
/// `make record-events` records anew, and refuses where that would hide a break.
@Suite("Recorded events", .serverOutput, .serialized)
struct RecordedEventsTests {
    private static let isRecording = ProcessInfo.processInfo.environment["KITH_RECORD_EVENTS"] != nil

    /// Of every topic and kind; other shapes of them are recorded too.
    private static let types: Set<String> = Set(
        ["created", "updated", "deleted", "read", "state"].map { "io.kith.point.\($0).v1" }
            + ["began", "ended"].map { "io.kith.transaction.\($0).v1" }
            + ["collection.created", "collection.updated", "collection.deleted", "vectorspace.created", "vectorspace.deleted"]
            .map { "io.kith.catalogue.\($0).v1" }
            + ["index", "alias"].flatMap { kind in
                ["created", "updated", "deleted"].map { "io.kith.catalogue.\(kind).\($0).v1" }
            }
            + [
                "model_registered", "classified", "legal_hold", "erasure_requested", "erasure_proved", "retention_set",
                "retention_applied",
            ]
            .map { "io.kith.governance.\($0).v1" } + ["dataset", "run"].map { "io.openlineage.\($0).v2" }
            + ["io.kith.audit.recorded.v1", "io.kith.changes.gap.v1"])

    @Test func areReadAsTheyWere() throws {
        let recorded = try RecordedTopics.recorded()
        for event in recorded.events { #expect(throws: Never.self) { try event.check() } }
        if !RecordedEventsTests.isRecording {
            #expect(Set(recorded.events.map(\.type)).isSuperset(of: RecordedEventsTests.types))
            #expect(Set(recorded.events.compactMap { $0.headers["content-type"] }).count == 2)
            #expect(recorded.events.contains { $0.value?["claimCheck"] != .null && $0.value != nil })
        }
    }

    @Test func arePublishedAsTheyWere() throws {
        let recorded = try RecordedTopics.recorded()
        let published = try RecordedTopics.published()
        guard RecordedEventsTests.isRecording else {
            let gone = recorded.shapes.subtracting(published.shapes).sorted()
            let new = published.shapes.subtracting(recorded.shapes).sorted()
            #expect(gone.isEmpty, "no longer published")
            #expect(new.isEmpty, "not recorded; where fields were added: make record-events")
            return
        }
        for event in recorded.events { try event.check() }
        // Fields are only ever added: of each type and topic nothing may be gone.
        let lost = RecordedEventsTests.fields(recorded).subtracting(RecordedEventsTests.fields(published)).sorted()
        try #require(lost.isEmpty, "nothing is recorded: fields and headers that consumers know would be gone")
        try published.write()
    }

    /// `topic type field`, of all events.
    private static func fields(_ topics: RecordedTopics) -> Set<String> {
        topics.events.reduce(into: []) { fields, event in
            let names = RecordedEvent.paths(event.value ?? .null).union(event.headers.keys)
            fields.formUnion(names.map { "\(event.topic) \(event.type) \($0)" })
        }
    }
}
