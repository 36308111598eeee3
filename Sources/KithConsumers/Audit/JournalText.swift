/// Records of the journal as CSV.
enum JournalText {
    private static let columns: [(name: String, cell: @Sendable (JournalRecord) -> String)] = [
        ("n", { "\($0.n)" }), ("time", { $0.time }), ("actor", { $0.actor }), ("operation", { $0.operation }),
        ("resource", { $0.resource }), ("outcome", { $0.outcome }), ("client", { $0.client }), ("method", { $0.method }),
        ("request", { $0.request }), ("version_before", { $0.versionBefore.map(String.init) ?? "" }),
        ("version_after", { $0.versionAfter.map(String.init) ?? "" }),
        ("changed", { ($0.changed ?? []).joined(separator: " ") }), ("event", { $0.event }), ("source", { $0.source }),
        ("digest", { $0.digest }),
    ]

    static var header: [UInt8] { CSVFormat.line(columns.map { Array($0.name.utf8) }) }

    static func csv(_ record: JournalRecord) -> [UInt8] { CSVFormat.line(columns.map { Array($0.cell(record).utf8) }) }
}
