import KithAPI
import KithCore

/// `kith governance`.
enum GovernanceCommand {
    typealias Action = @Sendable (KithClient, Arguments) throws(KithError) -> Void

    static let description = CommandDescription(
        name: "governance", summary: "Decide about data: models, classifications, legal holds, erasures, retention, lineage",
        operands: ["[ACTION]", "[NAME]", "[COLLECTION]"],
        options: Connection.options
            + [
                Option(name: "json", value: nil, help: "answer in JSON"),
                Option(name: "request-id", value: "TEXT", help: "a request that comes again under this id is not done again"),
                Option(name: "reason", value: "TEXT", help: "for people"),
            ] + ModelActions.options + ClassificationActions.options + HoldActions.options
            + ErasureActions.options + RetentionActions.options + LineageActions.options,
        notes: [
            "Actions: models (the default), model ID, register-model ID, classifications, classify COLLECTION,",
            "holds, hold NAME, place-hold NAME, release-hold NAME, erasures, erasure NAME, erase NAME,",
            "retention list, retention get COLLECTION, retention set COLLECTION, retention remove COLLECTION, record-run JOB.",
            "  kith governance register-model minilm --revision 2 --owner search --dimension 384 --licence apache-2.0",
            "  kith governance classify patients --field person.name --as restricted --labels pii",
            "  kith governance place-hold case-12 --collection patients --field person.id --value '\"4711\"' --reason 'court order'",
            "  kith governance erase gdpr-88 --subject ticket-88 --collection patients --field person.id --value '\"4711\"'",
            "  kith governance retention set visits --max-age 30d --age-field seen_at",
            "  kith governance record-run etl/embed --run $UUID --state complete --input s3://raw/docs --output docs=1000",
        ]
    ) { arguments throws(KithError) in
        let action = arguments.operands.first ?? "models"
        guard let run = actions[action] else {
            throw .usage("'kith governance' has no action '\(action)', only \(actions.keys.sorted().joined(separator: ", "))")
        }
        guard action == "retention" || arguments.operands.count <= 2 else {
            throw .usage("'kith governance \(action)' does not expect '\(arguments.operands[2])'")
        }
        try Connection.with(arguments) { client throws(KithError) in try run(client, arguments) }
        return ExitCode.success
    }

    private static let actions = [
        ModelActions.all, ClassificationActions.all, HoldActions.all, ErasureActions.all, RetentionActions.all,
        LineageActions.all,
    ]
    .reduce(into: [String: Action]()) { all, some in all.merge(some) { $1 } }

    // MARK: What actions share

    static func name(_ arguments: Arguments, _ what: String) throws(KithError) -> String {
        guard arguments.operands.count >= 2 else { throw .usage("the \(what) is missing", key: "NAME") }
        return arguments.operands[1]
    }

    static func call<Answer: Decodable>(
        _ method: String, _ request: some Encodable, _ client: KithClient
    ) throws(KithError) -> Answer {
        try client.call("/kith.v1.GovernanceService/\(method)", request)
    }

    /// Prints the answer as it is.
    static func printJSON(_ method: String, _ request: some Encodable, _ client: KithClient) throws(KithError) {
        let text = try client.callJSON("/kith.v1.GovernanceService/\(method)", try MessageJSON.request(request))
        Console.print(String(decoding: text, as: UTF8.self))
    }
}
