package import KithCore
import KithTelemetry

/// Events into the state of governance, which is one sealed file with the offsets in it: replaced whole with each commit.
package final class GovernanceSink: RecordSink {
    private static let log = Log("governance")
    private let folder: String
    private let check: PolicyCheck
    private let publisher: ViolationPublisher?
    private let claims: ClaimedEvents
    private let metrics: ConsumerMetrics
    private var lock: FolderLock?
    private var state = GovernanceState()
    private var moved: Set<TopicPartition> = []
    private var found: [Violation] = []

    /// - Parameters:
    ///   - publisher: gets every violation once it is found; nil tells nobody.
    ///   - claims: where events are fetched that were too large for Kafka.
    package init(
        _ folder: String, policies: [Policy], publisher: ViolationPublisher?, claims: ClaimedEvents, metrics: ConsumerMetrics
    ) {
        self.folder = folder
        check = PolicyCheck(policies: policies)
        self.publisher = publisher
        self.claims = claims
        self.metrics = metrics
    }

    /// What is known in a folder; nothing yet where there is none.
    package static func state(in folder: String) throws(KithError) -> GovernanceState {
        try JournalSeal.read("\(folder)/governance.json", key: nil) ?? GovernanceState()
    }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?] {
        release()
        try DurableFiles.makeFolder(folder)
        lock = try FolderLock(folder)
        state = try GovernanceSink.state(in: folder)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, state.offsets["\($0)"]) })
    }

    package func add(_ record: ConsumedRecord) throws(KithError) {
        state.offsets["\(record.place)"] = record.offset + 1
        moved.insert(record.place)
        if let id = record.header("ce_id").flatMap(EventID.init),
            state.isKnown("\(record.place) \(id.source)", id.order, limit: Limits.journalSources)
        {
            metrics.duplicates.add()
            return
        }
        let change: ChangeRecord
        do throws(Poison) {
            guard EventSummary.type(of: record) == "kith.v1.ChangeEvent" else { return note(try state.take(record, check)) }
            change = try ChangeRecord(record)
        } catch {
            metrics.deadLetters.add()
            GovernanceSink.log.warning(
                "a record is passed over", ["at": "\(record.place)@\(record.offset)", "reason": error.reason])
            return
        }
        note(state.take(try whole(change), check))
    }

    /// The change with its images; without, where it goes on without them.
    private func whole(_ change: ChangeRecord) throws(KithError) -> ChangeRecord {
        switch try claims.resolve(change) {
        case .whole(let whole, _): return whole
        case .missing(let why):
            GovernanceSink.log.warning(
                "a change is counted, and its payload not looked at",
                ["at": "\(change.source.place)@\(change.source.offset)", "reason": why])
            return change
        }
    }

    private func note(_ violations: [Violation]) { for violation in violations { note(violation) } }

    private func note(_ violation: Violation) {
        if state.violations[violation.id] != nil {
            state.violations[violation.id]?.count += 1
            state.violations[violation.id]?.what = violation.what
        } else if state.violations.count < Limits.openViolations {
            state.violations[violation.id] = violation
            metrics.violations.add()
            found.append(violation)
        }
    }

    package func commit() throws(KithError) -> [TopicPartition: Int64] {
        // Told first: a crash may tell twice, under the same id, but never leaves one untold.
        try publisher?.publish(found)
        found = []
        try JournalSeal.write(state, to: "\(folder)/governance.json", key: nil)
        defer { moved = [] }
        return Dictionary(uniqueKeysWithValues: moved.map { ($0, state.offsets["\($0)"] ?? 0) })
    }

    package func release() {
        lock = nil
        state = GovernanceState()
        moved = []
        found = []
    }
}
