import Foundation
package import KithCommands
import KithCore
import KithEvents

/// `kith-consume audit ...`.
package enum AuditCommand {
    package static let commands = [follow, verify, query, export, retention]

    private static let settings =
        ConsumerSettings.following.filter { $0.key != "dead-letters" } + [
            ConsumerSetting("folder", "FOLDER", "the journal"),
            ConsumerSetting("key-file", "FILE", "a secret of 16 bytes or more that seals the journal (none)"),
            ConsumerSetting("segment-bytes", "N", "past this a segment is finished and the next begun (67108864)"),
            ConsumerSetting("keep-days", "N", "older segments are dropped (all are kept)"),
            ConsumerSetting("changes", "WORD", "all or none: whether changes of points are journalled too (all)"),
        ]

    private static let follow = CommandDescription(
        name: "audit follow", summary: "Follow audit, catalogue, governance and change events into a journal",
        options: ConsumerSettings.options(settings)
            + [Option(name: "until-end", value: nil, help: "end once everything that there is has been written")],
        notes: ConsumerSettings.notes, takesAnyOption: true
    ) { arguments throws(KithError) in
        let settings = try ConsumerSettings(arguments, known: settings)
        let folder = try settings.required("folder")
        let key = try JournalSeal.key(settings.text("key-file"))
        let segmentBytes = try settings.number("segment-bytes", 1...1 << 40) ?? 64 << 20
        let days = try settings.number("keep-days", 0...100_000)
        let prefix = NSRegularExpression.escapedPattern(for: try settings.kafka().topicPrefix)
        let changes = try settings.choice("changes", [("all", true), ("none", false)]) ?? true
        let topics = "^\(prefix)\\.(audit\\.v1|catalog\\.v1|governance\\.v1\(changes ? "|changes\\.v1\\..+" : ""))$"
        return try FollowingProcess.run(
            arguments, settings, group: settings.text("group") ?? "kith-audit", topics: [topics]
        ) { _, metrics throws(KithError) in
            JournalSink(
                folder, key: key, segmentBytes: segmentBytes, keepSeconds: days.map { Int64($0) * 86_400 }, metrics: metrics)
        }
    }

    // MARK: Reading

    private static let reading = [
        Option(name: "folder", value: "FOLDER", help: "the journal"),
        Option(name: "key-file", value: "FILE", help: "the secret that seals it, where it has one"),
    ]

    private static let filters = [
        Option(name: "actor", value: "NAME", help: "who"),
        Option(name: "resource", value: "TEXT", help: "what, or what it begins with, such as collections/docs"),
        Option(name: "operation", value: "TEXT", help: "such as change.update, or what it begins with"),
        Option(name: "outcome", value: "WORD", help: "succeeded, denied or failed"),
        Option(name: "request", value: "ID", help: "request id"),
        Option(name: "from", value: "TIME", help: "RFC 3339 in UTC, or its beginning, such as 2026-11-21T10"),
        Option(name: "to", value: "TIME", help: "before this"),
        Option(name: "limit", value: "N", help: "records, at most"),
    ]

    private static func query(_ arguments: Arguments) throws(KithError) -> JournalQuery {
        var query = JournalQuery()
        query.actor = arguments.value("actor") ?? ""
        query.resource = arguments.value("resource") ?? ""
        query.operation = arguments.value("operation") ?? ""
        query.outcome = arguments.value("outcome") ?? ""
        query.request = arguments.value("request") ?? ""
        query.from = arguments.value("from") ?? ""
        query.to = arguments.value("to") ?? ""
        query.limit = try arguments.number("limit", 1...Int.max) ?? Int.max
        return query
    }

    private static let query = CommandDescription(
        name: "audit query", summary: "Tell who touched what, and when", options: reading + filters
    ) { arguments throws(KithError) in
        let key = try JournalSeal.key(arguments.value("key-file"))
        let found = try query(arguments).run(try arguments.required("folder"), key: key) { record in
            let versions = record.versionAfter.map { " v\(record.versionBefore ?? 0)>v\($0)" } ?? ""
            Console.print(
                "\(record.time)  \(record.actor.isEmpty ? "-" : record.actor)  \(record.operation)  \(record.resource)\(versions)  \(record.outcome)  \(record.event)"
            )
        }
        Console.note("\(found) record\(found == 1 ? "" : "s")")
        return ExitCode.success
    }

    private static let export = CommandDescription(
        name: "audit export", summary: "Print records as JSON Lines or CSV",
        options: reading + filters + [Option(name: "format", value: "WORD", help: "jsonl or csv (jsonl)")]
    ) { arguments throws(KithError) in
        let isCSV = try arguments.choice("format", [("jsonl", false), ("csv", true)]) ?? false
        let key = try JournalSeal.key(arguments.value("key-file"))
        if isCSV { Console.printText(String(decoding: JournalText.header, as: UTF8.self)) }
        try query(arguments).run(try arguments.required("folder"), key: key) { record throws(KithError) in
            let line = isCSV ? JournalText.csv(record) : try record.json() + [UInt8(ascii: "\n")]
            Console.printText(String(decoding: line, as: UTF8.self))
        }
        return ExitCode.success
    }

    private static let verify = CommandDescription(
        name: "audit verify", summary: "Find any record that was removed, changed, moved or cut off", options: reading,
        notes: ["Exits with 0 when the journal is whole, with 1 when it is not."]
    ) { arguments throws(KithError) in
        let key = try JournalSeal.key(arguments.value("key-file"))
        let report = try JournalVerifier(try arguments.required("folder"), key: key).run()
        for finding in report.findings { Console.print(finding.description) }
        if report.uncounted > 0 { Console.note("\(report.uncounted) bytes behind the head were written and never counted") }
        guard report.findings.isEmpty else { return ExitCode.failure }
        let dropped = report.dropped > 0 ? ", after \(report.dropped) that retention dropped" : ""
        Console.print("whole: \(report.records) records in \(report.segments) segments\(dropped); last hash \(report.hash)")
        return ExitCode.success
    }

    private static let retention = CommandDescription(
        name: "audit retention", summary: "Drop whole segments that are too old, leaving an anchor",
        options: reading + [Option(name: "keep-days", value: "N", help: "what is not older stays")]
    ) { arguments throws(KithError) in
        guard let days = try arguments.number("keep-days", 0...100_000) else {
            throw .usage("--keep-days is missing", key: "keep-days")
        }
        let key = try JournalSeal.key(arguments.value("key-file"))
        let retention = JournalRetention(try arguments.required("folder"), key: key, keepSeconds: Int64(days) * 86_400)
        let dropped = try retention.run(now: Int64(Date().timeIntervalSince1970))
        Console.print("dropped \(dropped) segment\(dropped == 1 ? "" : "s")")
        return ExitCode.success
    }
}
