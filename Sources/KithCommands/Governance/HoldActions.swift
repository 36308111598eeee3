import KithAPI
import KithCore

/// `kith governance holds` and so on.
enum HoldActions {
    static let options = [
        Option(name: "id", value: "ID", help: "place-hold: a point; may be given often", isRepeated: true),
        Option(name: "value", value: "JSON", help: "place-hold: of --field, which says whose points are meant"),
        Option(name: "whole", value: nil, help: "place-hold: every point of the collection"),
        Option(name: "standing", value: nil, help: "holds: without those that were released"),
    ]

    static let all: [String: GovernanceCommand.Action] = [
        "holds": list, "hold": get, "place-hold": place, "release-hold": release,
    ]

    private struct Hold: Decodable {
        var name, collection, field, reason, releaseReason: String
        var points: [WireID]
        var whole: Bool
        var placedAt: String?
        var releasedAt: String?

        var what: String { whole ? "everything" : field.isEmpty ? "\(points.count) points" : "by \(field)" }
    }

    private static func place(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            struct Hold: Encodable {
                var name, collection: String
                var points: [WireID]
                var field, valueJson: String
                var whole: Bool
                var reason: String
            }
            var hold: Hold
            var requestId: String
        }
        let hold = Request.Hold(
            name: try GovernanceCommand.name(arguments, "hold's name"), collection: try arguments.required("collection"),
            points: arguments.all("id").map { WireID(PointText.id($0)) }, field: arguments.value("field") ?? "",
            valueJson: arguments.value("value") ?? "", whole: arguments.flag("whole"), reason: arguments.value("reason") ?? "")
        let request = Request(hold: hold, requestId: arguments.value("request-id") ?? "")
        if arguments.flag("json") { return try GovernanceCommand.printJSON("PlaceLegalHold", request, client) }
        let made: Hold = try GovernanceCommand.call("PlaceLegalHold", request, client)
        Console.print("\(made.name) holds \(made.what) of \(made.collection)")
    }

    private static func release(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let request = [
            "hold": try GovernanceCommand.name(arguments, "hold's name"), "reason": arguments.value("reason") ?? "",
            "requestId": arguments.value("request-id") ?? "",
        ]
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ReleaseLegalHold", request, client) }
        let released: Hold = try GovernanceCommand.call("ReleaseLegalHold", request, client)
        Console.print("\(released.name) is released")
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try GovernanceCommand.printJSON("GetLegalHold", ["hold": try GovernanceCommand.name(arguments, "hold's name")], client)
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            var collection: String
            var standing: Bool
            var pageToken = ""
        }
        struct Page: Decodable {
            var holds: [Hold]
            var nextPageToken: String
        }
        var request = Request(collection: arguments.value("collection") ?? "", standing: arguments.flag("standing"))
        if arguments.flag("json") { return try GovernanceCommand.printJSON("ListLegalHolds", request, client) }
        var table = Table(header: ["HOLD", "COLLECTION", "HOLDS", "PLACED", "RELEASED", "REASON"])
        repeat {
            let page: Page = try GovernanceCommand.call("ListLegalHolds", request, client)
            for hold in page.holds {
                table.rows.append([
                    hold.name, hold.collection, hold.what, hold.placedAt ?? "", hold.releasedAt ?? "stands", hold.reason,
                ])
            }
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        table.printAll()
    }
}
