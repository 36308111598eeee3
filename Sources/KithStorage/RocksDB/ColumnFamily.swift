/// The keyspaces of the database. A `WriteBatch` writes any of them atomically together.
public enum ColumnFamily: Int, CaseIterable, Sendable {
    /// Applied positions, cursors, format versions.
    case meta
    /// Collections and aliases.
    case catalogue
    /// One row a point: read by exact key.
    case points
    /// The change log: one row a commit, appended and read in order.
    case changes
    /// Request ids already answered: read by exact key.
    case requests
    /// Webhooks, what became of their deliveries, and dead letters.
    case webhooks

    /// The name in the database. RocksDB insists on one family called `default`.
    var name: String {
        switch self {
        case .meta: "default"
        case .catalogue: "catalogue"
        case .points: "points"
        case .changes: "changes"
        case .requests: "requests"
        case .webhooks: "webhooks"
        }
    }
}
