public import KithCore

/// What goes on with the index of a vector space.
public struct IndexMaintenance: Sendable {
    public enum State: Sendable {
        /// Everything is linked.
        case idle
        /// Fresh vectors are linked.
        case linking
        /// Another index is made, to take the place of the one that serves searches.
        case rebuilding
        /// Nothing but fresh vectors is worked on, until it is resumed.
        case paused
    }

    public var state = State.idle
    /// Of the rebuild under way, or the one that waits; else nil.
    public var reason: RebuildReason?
    /// Rows that are linked: into the index to come where there is one, else into the one that serves.
    public var rowsDone = 0
    public var rowsTotal = 0
    /// When the rebuild was asked for, in microseconds since 1970.
    public var startedAt: Int64?
    /// The index that serves searches.
    public var serving: IndexDefinition

    public init(serving: IndexDefinition) { self.serving = serving }

    /// The same space of another shard: what is under way anywhere is under way.
    mutating func add(_ other: IndexMaintenance) {
        let mine = (rowsDone, rowsTotal)
        let isAhead = IndexMaintenance.rank(other) > IndexMaintenance.rank(self)
        if isAhead { self = other }
        rowsDone = mine.0 + other.rowsDone
        rowsTotal = mine.1 + other.rowsTotal
    }

    private static func rank(_ maintenance: IndexMaintenance) -> Int {
        switch maintenance.state {
        case .idle: 0
        case .linking: 1
        case .paused: maintenance.reason == nil ? 0 : 3
        case .rebuilding: 2
        }
    }
}
