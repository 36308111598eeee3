import KithAPI
import KithCore

/// `kith governance models` and so on.
enum ModelActions {
    static let options = [
        Option(name: "revision", value: "TEXT", help: "model, register-model: such as a version or a commit"),
        Option(name: "owner", value: "TEXT", help: "register-model: who answers for it"),
        Option(name: "dimension", value: "N", help: "register-model: components of its vectors"),
        Option(name: "licence", value: "TEXT", help: "register-model: such as apache-2.0"),
        Option(name: "description", value: "TEXT", help: "register-model: for people"),
        Option(name: "label", value: "KEY=VALUE", help: "register-model: may be given often", isRepeated: true),
    ]

    static let all: [String: GovernanceCommand.Action] = ["models": list, "model": get, "register-model": register]

    private struct Model: Codable {
        var id, revision: String
        var dimension: Int
        var owner, licence, description: String
        var labels: [String: String]
    }

    private static func register(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            var model: Model
            var requestId: String
        }
        var labels: [String: String] = [:]
        for text in arguments.all("label") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw .usage("--label is '\(text)', not KEY=VALUE", key: "label") }
            labels[parts[0]] = parts[1]
        }
        let model = Model(
            id: try GovernanceCommand.name(arguments, "model's id"), revision: arguments.value("revision") ?? "",
            dimension: try arguments.number("dimension", 0...Limits.dimension) ?? 0, owner: arguments.value("owner") ?? "",
            licence: arguments.value("licence") ?? "", description: arguments.value("description") ?? "", labels: labels)
        let request = Request(model: model, requestId: arguments.value("request-id") ?? "")
        if arguments.flag("json") { return try GovernanceCommand.printJSON("RegisterModel", request, client) }
        let made: Model = try GovernanceCommand.call("RegisterModel", request, client)
        Console.print("registered \(made.id)\(made.revision.isEmpty ? "" : "@\(made.revision)")")
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let id = try GovernanceCommand.name(arguments, "model's id")
        try GovernanceCommand.printJSON("GetModel", ["id": id, "revision": arguments.value("revision") ?? ""], client)
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable {
            var models: [Model]
            var nextPageToken: String
        }
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ListModels", ["pageToken": ""], client) }
        var table = Table(header: ["MODEL", "REVISION", "DIMENSION", "OWNER", "LICENCE"], rightAligned: [2])
        var token = ""
        repeat {
            let page: Page = try GovernanceCommand.call("ListModels", ["pageToken": token], client)
            for model in page.models {
                table.rows.append([model.id, model.revision, "\(model.dimension)", model.owner, model.licence])
            }
            token = page.nextPageToken
        } while !token.isEmpty
        table.printAll()
    }
}
