public import KithCore

/// Makes all records of commits: changes, and beside them state, transactions, audit and what the node's own log tells.
///
/// A commit's records have a fixed order: BEGIN, each change with the state it leaves, END, audit, facts. Their places are counted, so that who
/// stopped amid them can go on. It uses its buffers again from record to record: one encoder a thread.
public final class RecordEncoder {
    private let changes: ChangeEventEncoder
    private let transactions: TransactionEventEncoder
    private let audits: CommitAuditEncoder
    private let facts: NodeEventEncoder
    private let options: EventOptions

    /// - Parameter cluster: the cluster's id, which begins every event's id.
    public init(cluster: String, options: EventOptions = EventOptions()) {
        self.options = options
        changes = ChangeEventEncoder(cluster: cluster, maximumBytes: options.maximumBytes)
        transactions = TransactionEventEncoder(cluster: cluster)
        audits = CommitAuditEncoder(cluster: cluster)
        facts = NodeEventEncoder(cluster: cluster)
    }

    /// Records of a commit.
    public func count(_ commit: Commit, of definition: CollectionDefinition) -> Int {
        Layout(commit, definition, options).count
    }

    /// The topics that they go to.
    func topics(of commit: Commit, _ definition: CollectionDefinition) -> [EventTopic] {
        Layout(commit, definition, options).topics(of: commit)
    }

    /// Visits the records of a commit in order, from place `first` on, until `visit` answers false.
    ///
    /// - Parameter definition: the same for all records of a commit: the collection's settings say which there are.
    /// - Throws: `CORRUPTION` where the commit names a vector space that the collection lacks.
    public func encode(
        _ commit: Commit, from first: Int = 0, of definition: CollectionDefinition, feed: any ChangeFeed,
        _ visit: (EncodedEvent) throws(KithError) -> Bool
    ) throws(KithError) {
        let layout = Layout(commit, definition, options)
        if layout.isPlain { return try changes.encodeRecords(commit, from: first, of: definition, feed: feed, visit) }
        for place in first..<max(first, layout.count) {
            var proceeds = true
            func visitInPlace(_ event: EncodedEvent) throws(KithError) {
                var event = event
                event.index = place
                proceeds = try visit(event)
            }
            switch layout.record(at: place) {
            case .begin: try transactions.encode(commit, ends: false, of: definition, shard: feed.shard, visitInPlace)
            case .change(let index):
                try changes.encodeRecords(commit, from: index, of: definition, feed: feed) { (event) throws(KithError) in
                    try visitInPlace(event)
                    return false
                }
            case .state(let index): try changes.encodeState(commit, at: index, of: definition, feed: feed, visitInPlace)
            case .end: try transactions.encode(commit, ends: true, of: definition, shard: feed.shard, visitInPlace)
            case .audit: try audits.encode(commit, of: definition, shard: feed.shard, options.encoding, visitInPlace)
            case .fact(let index):
                try facts.encode(commit, at: index, shard: feed.shard, options.encoding, visitInPlace)
            }
            guard proceeds else { return }
        }
    }

    /// Visits the state records of points that were read, from place `first` on, until `visit` answers false.
    ///
    /// - Parameter points: READ changes, as a commit at the position they are as of.
    func encodeState(
        of points: Commit, from first: Int, _ definition: CollectionDefinition, feed: any ChangeFeed,
        _ visit: (EncodedEvent) throws(KithError) -> Bool
    ) throws(KithError) {
        for place in first..<max(first, points.changes.count) {
            var proceeds = true
            try changes.encodeState(points, at: place, of: definition, feed: feed) { (event) throws(KithError) in
                proceeds = try visit(event)
            }
            guard proceeds else { return }
        }
    }
}

/// Which records a commit has.
private struct Layout {
    enum Record {
        case begin
        case change(Int)
        case state(Int)
        case end
        case audit
        case fact(Int)
    }

    private let changeCount: Int
    private let factCount: Int
    private let hasState: Bool
    private let isFramed: Bool
    private let isAudited: Bool

    init(_ commit: Commit, _ definition: CollectionDefinition, _ options: EventOptions) {
        changeCount = commit.changes.count
        factCount = commit.facts.count
        hasState = definition.events.state
        isFramed = definition.events.transactions && changeCount > 1
        isAudited = options.auditsCommits && changeCount > 0
    }

    /// Changes only, as most commits have.
    var isPlain: Bool { !hasState && !isFramed && !isAudited && factCount == 0 }

    private static let plainTopics = [EventTopic.changes]

    func topics(of commit: Commit) -> [EventTopic] {
        if isPlain { return changeCount > 0 ? Layout.plainTopics : [] }
        var topics = changeCount > 0 ? Layout.plainTopics : []
        if hasState, changeCount > 0 { topics.append(.state) }
        if isFramed { topics.append(.transactions) }
        if isAudited { topics.append(.audit) }
        for fact in commit.facts where !topics.contains(fact.kind.topic) { topics.append(fact.kind.topic) }
        return topics
    }

    private var changeRecords: Int { hasState ? 2 * changeCount : changeCount }

    var count: Int { changeRecords + (isFramed ? 2 : 0) + (isAudited ? 1 : 0) + factCount }

    func record(at place: Int) -> Record {
        var rest = place
        if isFramed {
            if rest == 0 { return .begin }
            rest -= 1
        }
        if rest < changeRecords {
            guard hasState else { return .change(rest) }
            return rest % 2 == 0 ? .change(rest / 2) : .state(rest / 2)
        }
        rest -= changeRecords
        if isFramed {
            if rest == 0 { return .end }
            rest -= 1
        }
        if isAudited {
            if rest == 0 { return .audit }
            rest -= 1
        }
        return .fact(rest)
    }
}
