import KithAPI
import KithCore

/// `kith governance erasures` and so on.
enum ErasureActions {
    static let options = [
        Option(name: "subject", value: "TEXT", help: "erase: whose data it is, by an opaque name; it is told in events")
    ]

    static let all: [String: GovernanceCommand.Action] = ["erasures": list, "erasure": get, "erase": request]

    private struct Erasure: Decodable {
        var name, subject, collection, stage, problem, requested, deleted: String
        var requestedAt, provedAt: String?

        var stageText: String {
            stage.dropFirst("STAGE_".count).lowercased().split(separator: "_").joined(separator: " ")
        }
    }

    private static func request(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            struct Erasure: Encodable {
                var name, subject, collection: String
                var points: [WireID]
                var field, valueJson, reason: String
            }
            var erasure: Erasure
            var requestId: String
        }
        let erasure = Request.Erasure(
            name: try GovernanceCommand.name(arguments, "erasure's name"), subject: try arguments.required("subject"),
            collection: try arguments.required("collection"),
            points: arguments.all("id").map { WireID(PointText.id($0)) }, field: arguments.value("field") ?? "",
            valueJson: arguments.value("value") ?? "", reason: arguments.value("reason") ?? "")
        let request = Request(erasure: erasure, requestId: arguments.value("request-id") ?? "")
        if arguments.flag("json") { return try GovernanceCommand.printJSON("RequestErasure", request, client) }
        let made: Erasure = try GovernanceCommand.call("RequestErasure", request, client)
        Console.print("\(made.name): \(made.requested) points of \(made.collection) are to go")
        Console.note("'kith governance erasure \(made.name)' tells how far it has come")
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try GovernanceCommand.printJSON(
            "GetErasure", ["erasure": try GovernanceCommand.name(arguments, "erasure's name")], client)
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable {
            var erasures: [Erasure]
            var nextPageToken: String
        }
        var request = ["collection": arguments.value("collection") ?? "", "pageToken": ""]
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ListErasures", request, client) }
        var table = Table(
            header: ["ERASURE", "SUBJECT", "COLLECTION", "STAGE", "POINTS", "DELETED", "PROVED", "PROBLEM"], rightAligned: [4, 5])
        repeat {
            let page: Page = try GovernanceCommand.call("ListErasures", request, client)
            for found in page.erasures {
                table.rows.append([
                    found.name, found.subject, found.collection, found.stageText, found.requested, found.deleted,
                    found.provedAt ?? "-", found.problem,
                ])
            }
            request["pageToken"] = page.nextPageToken
        } while request["pageToken"] != ""
        table.printAll()
    }
}
