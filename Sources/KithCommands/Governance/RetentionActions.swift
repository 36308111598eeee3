import KithAPI
import KithCore

/// `kith governance retention list` and so on.
enum RetentionActions {
    static let options = [
        Option(
            name: "max-age", value: "TIME", help: "retention set: such as 90s, 30m, 12h or 30d; points that are older are deleted"
        ),
        Option(
            name: "age-field", value: "PATH",
            help: "retention set: the payload field that says when a point's time began (else its last change did)"),
    ]

    static let all: [String: GovernanceCommand.Action] = ["retention": run]

    private static let actions: [String: GovernanceCommand.Action] = ["list": list, "get": get, "set": set, "remove": remove]

    private static func run(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let action = arguments.operands.count > 1 ? arguments.operands[1] : "list"
        guard let run = actions[action] else {
            throw .usage(
                "'kith governance retention' has no action '\(action)', only \(actions.keys.sorted().joined(separator: ", "))")
        }
        try run(client, arguments)
    }

    private struct Retention: Decodable {
        var collection: String
        var maxAgeSeconds: UInt32
        var field, deleted, held, undated, problem: String
        var sweptAt: String?

        var origin: String { field.isEmpty ? "last change" : field }
    }

    private static func collection(_ arguments: Arguments) throws(KithError) -> String {
        guard arguments.operands.count > 2 else { throw .usage("the collection's name is missing", key: "COLLECTION") }
        return arguments.operands[2]
    }

    /// `30d` and so on.
    private static func seconds(_ text: String) throws(KithError) -> UInt32 {
        guard let seconds = AgeText.seconds(text) else {
            throw .usage("'\(text)' is no time such as 90s, 30m, 12h or 30d", key: "max-age")
        }
        return seconds
    }

    private static func set(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try set(client, arguments, try seconds(try arguments.required("max-age")), field: arguments.value("age-field") ?? "")
    }

    private static func remove(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try set(client, arguments, 0, field: "")
    }

    private static func set(
        _ client: KithClient, _ arguments: Arguments, _ seconds: UInt32, field: String
    ) throws(KithError) {
        struct Request: Encodable {
            var collection: String
            var maxAgeSeconds: UInt32
            var field, requestId: String
        }
        let request = Request(
            collection: try collection(arguments), maxAgeSeconds: seconds, field: field,
            requestId: arguments.value("request-id") ?? "")
        if arguments.flag("json") { return try GovernanceCommand.printJSON("SetRetention", request, client) }
        let made: Retention = try GovernanceCommand.call("SetRetention", request, client)
        Console.print(
            made.maxAgeSeconds == 0
                ? "\(made.collection) keeps its points"
                : "\(made.collection) keeps its points for \(made.maxAgeSeconds) s by \(made.origin)")
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try GovernanceCommand.printJSON("GetRetention", ["collection": try collection(arguments)], client)
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable {
            var retentions: [Retention]
            var nextPageToken: String
        }
        var request = ["pageToken": ""]
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ListRetentions", request, client) }
        var table = Table(
            header: ["COLLECTION", "SECONDS", "BY", "DELETED", "HELD", "UNDATED", "SWEPT", "PROBLEM"], rightAligned: [1, 3, 4, 5])
        repeat {
            let page: Page = try GovernanceCommand.call("ListRetentions", request, client)
            for found in page.retentions {
                table.rows.append([
                    found.collection, "\(found.maxAgeSeconds)", found.origin, found.deleted, found.held, found.undated,
                    found.sweptAt ?? "-", found.problem,
                ])
            }
            request["pageToken"] = page.nextPageToken
        } while request["pageToken"] != ""
        table.printAll()
    }
}
