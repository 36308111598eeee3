import KithAPI
import KithCore

/// `kith governance classifications` and so on.
enum ClassificationActions {
    static let options = [
        Option(name: "field", value: "PATH", help: "keys of the payload, joined by dots (classify: the whole collection)"),
        Option(
            name: "as", value: "WORD", help: "classify: such as public, internal, confidential or restricted; none takes it back"),
        Option(name: "labels", value: "LIST", help: "classify: such as pii,health"),
        Option(name: "collection", value: "NAME", help: "lists: of this collection only"),
    ]

    static let all: [String: GovernanceCommand.Action] = ["classifications": list, "classify": set]

    private struct Classification: Decodable {
        var collection, field, classification: String
        var labels: [String]
        var reason: String

        var resource: String { field.isEmpty ? collection : "\(collection) \(field)" }
    }

    private static func set(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            var collection, field, classification: String
            var labels: [String]
            var reason, requestId: String
        }
        let request = Request(
            collection: try GovernanceCommand.name(arguments, "collection's name"), field: arguments.value("field") ?? "",
            classification: arguments.value("as") ?? "",
            labels: (arguments.value("labels") ?? "").split(separator: ",").map(String.init),
            reason: arguments.value("reason") ?? "", requestId: arguments.value("request-id") ?? "")
        if arguments.flag("json") { return try GovernanceCommand.printJSON("SetClassification", request, client) }
        let made: Classification = try GovernanceCommand.call("SetClassification", request, client)
        let words = ([made.classification] + made.labels).filter { !$0.isEmpty }.joined(separator: " ")
        Console.print("\(made.resource) is \(words.isEmpty ? "not classified" : words)")
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable {
            var classifications: [Classification]
            var nextPageToken: String
        }
        var request = ["collection": arguments.value("collection") ?? "", "pageToken": ""]
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ListClassifications", request, client) }
        var table = Table(header: ["COLLECTION", "FIELD", "CLASSIFICATION", "LABELS", "REASON"])
        repeat {
            let page: Page = try GovernanceCommand.call("ListClassifications", request, client)
            for found in page.classifications {
                table.rows.append([
                    found.collection, found.field.isEmpty ? "-" : found.field, found.classification,
                    found.labels.joined(separator: ","), found.reason,
                ])
            }
            request["pageToken"] = page.nextPageToken
        } while request["pageToken"] != ""
        table.printAll()
    }
}
