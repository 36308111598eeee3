/// Why an index is made anew.
public enum RebuildReason: String, Sendable, CaseIterable {
    /// Somebody asked for it.
    case requested
    /// The collection's definition names another index.
    case definition
    /// More vectors were replaced or deleted since it was made than there are.
    case removed
    /// What it learned was learned from a small part of the vectors.
    case growth
    /// It finds less than it should.
    case recall
}
