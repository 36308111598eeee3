/// Why an index is made anew.
public enum RebuildReason: String, Sendable, CaseIterable {
    /// Somebody asked for it.
    case requested
    /// The collection's definition names another index.
    case definition
}
