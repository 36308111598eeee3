/// What the audit topic tells. Raw values are those of the setting `events.audit`.
public enum AuditPolicy: String, Sendable, CaseIterable {
    /// Nothing.
    case off
    /// Each commit of points.
    case commits
    /// Commits, changes of the catalogue and of settings, and every request of these kinds that was denied or failed.
    case writes
    /// All requests: reads, too.
    case all
}
