import Foundation
import KithAPI
package import KithCommands
package import KithCore
import KithEvents

/// `kith-consume etl`.
package enum EtlCommand {
    private static let settings =
        ConsumerSettings.following + [
            ConsumerSetting("collections", "LIST", "names, separated by commas (all)"),
            ConsumerSetting("sink", "KIND", "jsonl, csv or postgres"),
            ConsumerSetting("folder", "FOLDER", "jsonl, csv: where the files go"),
            ConsumerSetting("file-bytes", "N", "jsonl, csv: past this a file is finished and the next begun (268435456)"),
            ConsumerSetting("postgres", "CONNECTION", "postgres: a URI or key=value pairs, as libpq takes them"),
            ConsumerSetting("postgres.schema", "NAME", "postgres: where the tables are (public)"),
            ConsumerSetting("postgres.table-prefix", "TEXT", "postgres: before the collection's name in the table's (none)"),
            ConsumerSetting("postgres.consumer", "NAME", "postgres: whose progress in the table kith_progress it is (the group)"),
            ConsumerSetting("gaps", "WORD", "stop or pass, where the stream says that commits are lost (stop)"),
            ConsumerSetting("vectors", "TYPE", "element type of full vectors in the events, to write them as numbers (none)"),
            ConsumerSetting(
                "lineage", "WORD", "yes tells the server of --address of each run, as OpenLineage; no does not (yes)"),
        ] + ClaimedEvents.settings

    package static let description = CommandDescription(
        name: "etl", summary: "Follow changes into files or PostgreSQL, each exactly once",
        options: ConsumerSettings.options(settings)
            + [Option(name: "until-end", value: nil, help: "end once everything that there is has been written")],
        notes: ConsumerSettings.notes + ["What each sink holds, and how it is read: Documentation/consumers.md."],
        takesAnyOption: true, run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        let settings = try ConsumerSettings(arguments, known: settings)
        let group = settings.text("group") ?? "kith-etl"
        let store = try store(settings, group: group)
        return try FollowingProcess.run(
            arguments, settings, group: group, topics: try topics(settings),
            lineage: { () throws(KithError) in try lineage(settings, group: group, store) }
        ) { _, metrics throws(KithError) in
            ChangeLoader(
                store, deadLetters: try deadLetters(settings), metrics: metrics,
                claims: try ClaimedEvents(settings, metrics: metrics),
                passesGaps: try settings.choice("gaps", [("stop", false), ("pass", true)]) ?? false)
        }
    }

    /// The topics of the collections asked for; of all where none is.
    package static func topics(_ settings: ConsumerSettings) throws(KithError) -> [String] {
        let kafka = try settings.kafka()
        guard let collections = collections(settings) else {
            return ["^\(NSRegularExpression.escapedPattern(for: kafka.topicPrefix))\\.changes\\.v1\\..+"]
        }
        return collections.map { kafka.changesTopic(collection: $0) }
    }

    /// Those asked for; nil is all.
    private static func collections(_ settings: ConsumerSettings) -> [String]? {
        settings.text("collections")?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func lineage(
        _ settings: ConsumerSettings, group: String, _ store: any ChangeStore
    ) throws(KithError) -> LineageRun? {
        let isWanted = try settings.choice("lineage", [("yes", true), ("no", false)]) ?? true
        guard isWanted, let address = settings.text("address") else { return nil }
        let client = try KithClient(address: address, timeoutMilliseconds: Limits.lineageMilliseconds)
        let job = DatasetName(namespace: "kith-consume", name: "etl.\(group)".shortened(to: Limits.lineageNameBytes))
        let kafka = try settings.kafka()
        let collections = collections(settings)
        let reads: (String) -> Bool = { collections?.contains($0) ?? true }
        return LineageRun(client, job: job, notes: store.runs, reads: reads) { collection in
            store.dataset(of: collection, topic: kafka.changesTopic(collection: collection))
        }
    }

    private static func store(_ settings: ConsumerSettings, group: String) throws(KithError) -> any ChangeStore {
        let vectors = try vectors(settings)
        let fileBytes = try settings.number("file-bytes", 1...1 << 40) ?? 256 << 20
        switch try settings.required("sink") {
        case "jsonl":
            return try FileStore(
                try settings.required("folder"), format: JSONLinesFormat(vectors: vectors), fileBytes: fileBytes)
        case "csv":
            return try FileStore(try settings.required("folder"), format: CSVFormat(vectors: vectors), fileBytes: fileBytes)
        case "postgres":
            var options = PostgresStore.Options(
                connection: try settings.required("postgres"), consumer: settings.text("postgres.consumer") ?? group)
            if let schema = settings.text("postgres.schema") { options.schema = schema }
            if let prefix = settings.text("postgres.table-prefix") { options.tablePrefix = prefix }
            options.vectors = vectors
            return PostgresStore(options)
        case let kind: throw .usage("--sink is '\(kind)', not one of jsonl, csv, postgres", key: "sink")
        }
    }

    private static func vectors(_ settings: ConsumerSettings) throws(KithError) -> VectorStyle {
        let types = ElementType.allCases.map { (word: "\($0)", value: VectorStyle.numbers($0)) }
        return try settings.choice("vectors", [("none", .none)] + types) ?? .none
    }

    /// Without a file of their own, dead letters lie beside the data; a database has no such place.
    package static func deadLetters(_ settings: ConsumerSettings) throws(KithError) -> any DeadLetterOffice {
        if let path = settings.text("dead-letters") { return DeadLetterFile(path) }
        guard let folder = settings.text("folder") else {
            throw .usage(
                "--dead-letters is missing: a sink without a folder has no place of its own for them", key: "dead-letters")
        }
        return DeadLetterFile(folder + "/dead-letters.jsonl")
    }
}
