/// What a method does, as the audit tells it. Raw values are those of the wire.
package enum AuditKind: Int32, Sendable {
    case read = 1
    case write = 2
    case admin = 3

    private static let readingVerbs = ["Get", "List", "Count", "Scroll", "Export", "Search", "Subscribe"]

    /// Nil for probes, which are nobody's request.
    ///
    /// - Parameter method: its path, such as `/kith.v1.PointService/Upsert`.
    package init?(method: String) {
        let parts = method.split(separator: "/")
        guard parts.count == 2, parts[0].hasPrefix("kith.v1.") else { return nil }
        if AuditKind.readingVerbs.contains(where: { parts[1].hasPrefix($0) }) {
            self = .read
        } else {
            self = parts[0] == "kith.v1.PointService" ? .write : .admin
        }
    }
}
