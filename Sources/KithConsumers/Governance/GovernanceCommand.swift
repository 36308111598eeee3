import Foundation
import KithAPI
package import KithCommands
import KithCore
import KithEvents

/// `kith-consume governance ...`.
package enum GovernanceCommand {
    package static let commands = [follow, catalogue, decisions, violations, lineage, proveErasure]

    private static let settings =
        ConsumerSettings.following.filter { $0.key != "dead-letters" } + [
            ConsumerSetting("folder", "FOLDER", "what is known: the catalogue, the lineage, the violations"),
            ConsumerSetting("policies", "FILE", "what must hold: a JSON object, see Documentation/consumers.md (nothing)"),
            ConsumerSetting("publish", "WORD", "yes sends violations to <prefix>.violations.v1, no does not (yes)"),
        ] + ClaimedEvents.settings

    private static let folder = Option(name: "folder", value: "FOLDER", help: "what 'governance follow' keeps")

    private static let follow = CommandDescription(
        name: "governance follow", summary: "Build the catalogue from events, and hold policies against each",
        options: ConsumerSettings.options(settings)
            + [Option(name: "until-end", value: nil, help: "end once everything that there is has been read")],
        notes: ConsumerSettings.notes, takesAnyOption: true
    ) { arguments throws(KithError) in
        let settings = try ConsumerSettings(arguments, known: settings)
        let folder = try settings.required("folder")
        var policies: [Policy] = []
        if let path = settings.text("policies") { policies = try Policy.read([UInt8](try Files.read(path)), name: path) }
        let kafka = try settings.kafka()
        let publisher = try settings.choice("publish", [("yes", true), ("no", false)]) ?? true ? ViolationPublisher(kafka) : nil
        let prefix = NSRegularExpression.escapedPattern(for: kafka.topicPrefix)
        let topics = "^\(prefix)\\.(catalog\\.v1|governance\\.v1|lineage\\.v1|changes\\.v1\\..+)$"
        return try FollowingProcess.run(
            arguments, settings, group: settings.text("group") ?? "kith-governance", topics: [topics]
        ) { _, metrics throws(KithError) in
            GovernanceSink(
                folder, policies: policies, publisher: publisher, claims: try ClaimedEvents(settings, metrics: metrics),
                metrics: metrics)
        }
    }

    private static let catalogue = CommandDescription(
        name: "governance catalogue", summary: "List collections, owners, models and fields",
        options: [folder, Option(name: "json", value: nil, help: "everything that is known, in JSON")]
    ) { arguments throws(KithError) in
        let state = try GovernanceSink.state(in: try arguments.required("folder"))
        if arguments.flag("json") {
            Console.print(try json(state.collections))
            return ExitCode.success
        }
        var table = Table(header: ["COLLECTION", "OWNER", "CHANGES", "MODELS", "FIELDS"], rightAligned: [2])
        for (name, collection) in state.collections.sorted(by: { $0.key < $1.key }) {
            let fields = collection.fields.sorted { $0.key < $1.key }.map { name, field in
                "\(name):\(field.types.sorted().joined(separator: "|"))\(field.classification.map { " (\($0))" } ?? "")"
            }
            table.rows.append([
                name, collection.labels["owner"] ?? "-", "\(collection.changes)",
                collection.models.values.filter { !$0.isEmpty }.sorted().joined(separator: " "), fields.joined(separator: " "),
            ])
        }
        table.printAll()
        return ExitCode.success
    }

    private static let decisions = CommandDescription(
        name: "governance decisions", summary: "List models, legal holds, erasures and rules of retention, as events told them",
        options: [folder, Option(name: "json", value: nil, help: "the same in JSON")]
    ) { arguments throws(KithError) in
        struct Decisions: Encodable {
            var models: [String: String]
            var holds: [String: GovernanceState.Hold]
            var erasures: [String: GovernanceState.Erasure]
            var retentions: [String: GovernanceState.Retention]
        }
        let state = try GovernanceSink.state(in: try arguments.required("folder"))
        let retentions = state.collections.compactMapValues(\.retention)
        if arguments.flag("json") {
            Console.print(
                try json(
                    Decisions(models: state.models, holds: state.holds, erasures: state.erasures, retentions: retentions)))
            return ExitCode.success
        }
        var table = Table(header: ["WHAT", "NAME", "ABOUT", "STATE"])
        for (name, owner) in state.models.sorted(by: { $0.key < $1.key }) {
            table.rows.append(["model", name, owner.isEmpty ? "-" : "owner \(owner)", "registered"])
        }
        for (name, hold) in state.holds.sorted(by: { $0.key < $1.key }) {
            table.rows.append(["hold", name, "\(hold.collection): \(hold.what)", hold.stands ? "stands" : "released"])
        }
        for (name, erasure) in state.erasures.sorted(by: { $0.key < $1.key }) {
            let stage = erasure.deleted.map { "proved, \($0) of \(erasure.requested) points were there" } ?? "requested"
            table.rows.append(["erasure", name, "\(erasure.collection): \(erasure.subject)", stage])
        }
        for (name, retention) in retentions.sorted(by: { $0.key < $1.key }) {
            table.rows.append(["retention", name, retention.text, "\(retention.deleted) points deleted"])
        }
        table.printAll()
        return ExitCode.success
    }

    private static let violations = CommandDescription(
        name: "governance violations", summary: "List what does not hold",
        options: [folder, Option(name: "json", value: nil, help: "one JSON object a line")],
        notes: ["Exits with 0 when everything holds, with 1 when something does not."]
    ) { arguments throws(KithError) in
        let state = try GovernanceSink.state(in: try arguments.required("folder"))
        for violation in state.violations.values.sorted(by: { $0.id < $1.id }) {
            if arguments.flag("json") {
                Console.print(try json(violation))
            } else {
                Console.print(
                    "\(violation.time)  \(violation.policy)  \(violation.resource)  \(violation.what)  (\(violation.count) times)"
                )
            }
        }
        return state.violations.isEmpty ? ExitCode.success : ExitCode.failure
    }

    private static let lineage = CommandDescription(
        name: "governance lineage", summary: "Print what data comes from where, for Graphviz or as JSON",
        options: [
            folder, Option(name: "format", value: "WORD", help: "dot or json (dot)"),
            Option(name: "topic-prefix", value: "TEXT", help: "what the topics of Kith begin with (kith)"),
        ]
    ) { arguments throws(KithError) in
        let state = try GovernanceSink.state(in: try arguments.required("folder"))
        let prefix = arguments.value("topic-prefix") ?? KafkaConfiguration.defaultTopicPrefix
        let graph = LineageGraph(state, topicPrefix: prefix)
        let isDOT = try arguments.choice("format", [("dot", true), ("json", false)]) ?? true
        Console.print(isDOT ? graph.dot : try json(graph))
        return ExitCode.success
    }

    private static let proveErasure = CommandDescription(
        name: "governance prove-erasure", summary: "Show that points are gone from collection, topics and sinks",
        options: [
            Option(name: "collection", value: "NAME", help: "where the points were"),
            Option(name: "id", value: "ID", help: "a point; may be given often", isRepeated: true),
            Option(name: "ids", value: "FILE", help: "points, one a line"),
            Option(name: "address", value: "HOST:PORT", help: "asks the Kith server, and reads its change log"),
            Option(name: "erasure", value: "NAME", help: "with --address: the erasure that must have proved these points gone"),
            Option(name: "kafka.brokers", value: "LIST", help: "reads the changes and the state topic"),
            Option(name: "kafka.topic-prefix", value: "TEXT", help: "what the topics of Kith begin with (kith)"),
            Option(name: "files", value: "FOLDER", help: "reads what 'etl --sink jsonl' wrote", isRepeated: true),
            Option(name: "postgres", value: "CONNECTION", help: "asks the table that 'etl --sink postgres' wrote"),
            Option(name: "table", value: "NAME", help: "its table, in quotes where SQL wants them (the collection's name)"),
            Option(name: "key-file", value: "FILE", help: "a secret of 16 bytes or more that seals the report"),
            Option(name: "report", value: "FILE", help: "gets the sealed report"),
        ],
        notes: ["Exits with 0 when the points are gone from every place that was looked at, with 1 when they are not."],
        run: prove)

    private static func prove(_ arguments: Arguments) throws(KithError) -> Int32 {
        let collection = try arguments.required("collection")
        var ids = arguments.all("id").map { PointText.id($0) }
        if let path = arguments.value("ids") {
            ids += String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n").map { PointText.id(String($0)) }
        }
        guard !ids.isEmpty else { throw .usage("--id or --ids is missing", key: "id") }
        let proof = ErasureProof(collection: collection, ids: ids)
        var findings: [ErasureProof.Finding] = []
        if let address = arguments.value("address") {
            let client = try KithClient(address: address)
            findings.append(try proof.inCollection(client))
            findings.append(try proof.inLog(client))
            if let name = arguments.value("erasure") { findings.append(try proof.by(erasure: name, client)) }
        }
        if let brokers = arguments.value("kafka.brokers") {
            let prefix = arguments.value("kafka.topic-prefix") ?? KafkaConfiguration.defaultTopicPrefix
            let kafka = KafkaConfiguration(brokers: brokers, topicPrefix: prefix)
            findings.append(try proof.inChanges(kafka))
            findings.append(try proof.inState(kafka))
        }
        for folder in arguments.all("files") { findings.append(try proof.inFiles(folder)) }
        if let connection = arguments.value("postgres") {
            let table = arguments.value("table") ?? SQL.name(SQL.identifier(collection))
            findings.append(try proof.inTable(connection, table: table))
        }
        guard !findings.isEmpty else {
            throw .usage("no place to look at: give --address, --kafka.brokers, --files or --postgres", key: "address")
        }
        let report = proof.report(findings)
        if let path = arguments.value("report") {
            try JournalSeal.write(report, to: path, key: try JournalSeal.key(arguments.value("key-file")))
        }
        Console.print(try json(report))
        return report.isProved ? ExitCode.success : ExitCode.failure
    }

    private static func json(_ value: some Encodable) throws(KithError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            throw KithError(.internal, .storageFailure, "cannot be written as JSON: \(error)")
        }
    }
}
