import Foundation
import KithAPI
import KithCore

/// `kith webhooks`.
enum WebhooksCommand {
    static let description = CommandDescription(
        name: "webhooks", summary: "Post change events to HTTPS endpoints", operands: ["[ACTION]", "[NAME]", "[ID]"],
        options: Connection.options
            + [
                Option(name: "json", value: nil, help: "answer in JSON"),
                Option(name: "limit", value: "N", help: "deliveries, dead-letters: at most so many (20)"),
                Option(name: "keep-seconds", value: "N", help: "rotate-secret: how long the old secret signs too (86400)"),
            ] + NewWebhook.options,
        notes: [
            "Actions: list (the default), get NAME, create NAME --url URL, update NAME, delete NAME, pause NAME, resume NAME,",
            "rotate-secret NAME, test NAME, deliveries NAME, dead-letters NAME, redeliver NAME [ID].",
            "  kith webhooks create search-cache --url https://cache.example/kith --collections films --mode batch",
            "'create' and 'rotate-secret' print the secret that requests are signed with; it is never told again.",
        ]
    ) { arguments throws(KithError) in
        let action = arguments.operands.first ?? "list"
        guard let run = actions[action] else {
            throw .usage("'kith webhooks' has no action '\(action)', only \(actions.keys.sorted().joined(separator: ", "))")
        }
        try Connection.with(arguments) { client throws(KithError) in try run(client, arguments) }
        return ExitCode.success
    }

    private static let actions: [String: @Sendable (KithClient, Arguments) throws(KithError) -> Void] = [
        "list": list, "get": get, "create": create, "update": update, "delete": delete, "pause": pause, "resume": resume,
        "rotate-secret": rotateSecret, "test": test, "deliveries": deliveries, "dead-letters": deadLetters,
        "redeliver": redeliver,
    ]

    private static func name(_ arguments: Arguments) throws(KithError) -> String {
        guard arguments.operands.count >= 2 else { throw .usage("the webhook's name is missing", key: "NAME") }
        return arguments.operands[1]
    }

    private static func call<Answer: Decodable>(
        _ method: String, _ request: some Encodable, _ client: KithClient
    ) throws(KithError) -> Answer {
        try client.call("/kith.v1.WebhookService/\(method)", request)
    }

    /// Prints the answer as it is.
    private static func printJSON(_ method: String, _ request: some Encodable, _ client: KithClient) throws(KithError) {
        let text = try client.callJSON("/kith.v1.WebhookService/\(method)", try MessageJSON.request(request))
        Console.print(String(decoding: text, as: UTF8.self))
    }

    // MARK: Webhooks

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable { var pageToken: String }
        struct Page: Decodable {
            var webhooks: [ListedWebhook]
            var nextPageToken: String
        }
        if arguments.flag("json") { return try printJSON("ListWebhooks", ["pageToken": ""], client) }
        var table = Table(header: ["NAME", "STATE", "LAG", "FAILURES", "DEAD LETTERS", "URL"], rightAligned: [2, 3, 4])
        var token = ""
        repeat {
            let page: Page = try call("ListWebhooks", Request(pageToken: token), client)
            for webhook in page.webhooks {
                table.rows.append([
                    webhook.name, webhook.stateText, webhook.lagCommits, "\(webhook.failures)", "\(webhook.deadLetters)",
                    webhook.url,
                ])
            }
            token = page.nextPageToken
        } while !token.isEmpty
        table.printAll()
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try printJSON("GetWebhook", ["name": try name(arguments)], client)
    }

    private static func create(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let wanted = try NewWebhook(try name(arguments), arguments)
        let answer: SecretAnswer = try call("CreateWebhook", wanted.creation(arguments), client)
        Console.print("created \(answer.webhook.name)")
        Console.print("secret  \(answer.secret)")
    }

    private static func update(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let wanted = try NewWebhook(try name(arguments), arguments)
        let changed: ListedWebhook = try call("UpdateWebhook", try wanted.update(arguments), client)
        Console.print("updated \(changed.name)")
    }

    private static func delete(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        let _: Nothing = try call("DeleteWebhook", ["name": name], client)
        Console.print("deleted \(name)")
    }

    private static func pause(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let webhook: ListedWebhook = try call("PauseWebhook", ["name": try name(arguments)], client)
        Console.print("\(webhook.name) is \(webhook.stateText)")
    }

    private static func resume(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Answer: Decodable {
            var webhook: ListedWebhook
            var missedCommits: String
        }
        let answer: Answer = try call("ResumeWebhook", ["name": try name(arguments)], client)
        Console.print("\(answer.webhook.name) is \(answer.webhook.stateText)")
        if answer.missedCommits != "0" {
            Console.note("\(answer.missedCommits) commits are no longer in the change log: their events are not delivered")
        }
    }

    private static func rotateSecret(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            var name: String
            var secret: String
            var keepSeconds: Int?
        }
        let request = Request(
            name: try name(arguments), secret: arguments.value("secret") ?? "",
            keepSeconds: try arguments.number("keep-seconds", 0...Int(UInt32.max)))
        let answer: SecretAnswer = try call("RotateWebhookSecret", request, client)
        Console.print("secret  \(answer.secret)")
    }

    // MARK: Deliveries

    private static func test(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let delivery: ListedDelivery = try call("TestWebhook", ["name": try name(arguments)], client)
        Console.print(
            "status \(delivery.status) after \(delivery.milliseconds) ms\(delivery.error.isEmpty ? "" : ": \(delivery.error)")")
        guard (200..<300).contains(delivery.status) else {
            throw KithError(.failedPrecondition, .serverUnreachable, "the endpoint did not take the test event")
        }
    }

    private struct PageRequest: Encodable {
        var webhook: String
        var pageSize: Int
    }

    private static func page(_ arguments: Arguments) throws(KithError) -> PageRequest {
        PageRequest(webhook: try name(arguments), pageSize: try arguments.number("limit", 1...Limits.pageSize) ?? 20)
    }

    private static func deliveries(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable { var deliveries: [ListedDelivery] }
        let request = try page(arguments)
        if arguments.flag("json") { return try printJSON("ListDeliveries", request, client) }
        let page: Page = try call("ListDeliveries", request, client)
        var table = Table(
            header: ["TIME", "OUTCOME", "STATUS", "MS", "TRY", "EVENTS", "FIRST EVENT", "ERROR"], rightAligned: [2, 3, 4, 5])
        for delivery in page.deliveries {
            table.rows.append([
                delivery.time, lastWords(delivery.outcome, after: "OUTCOME_"), "\(delivery.status)", delivery.milliseconds,
                "\(delivery.attempt)", "\(delivery.events)", delivery.eventId, delivery.error,
            ])
        }
        table.printAll()
    }

    private static func deadLetters(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Page: Decodable { var letters: [ListedLetter] }
        let request = try page(arguments)
        if arguments.flag("json") { return try printJSON("ListDeadLetters", request, client) }
        let page: Page = try call("ListDeadLetters", request, client)
        var table = Table(header: ["ID", "GIVEN UP", "TRIES", "ERROR"], rightAligned: [2])
        for letter in page.letters { table.rows.append([letter.id, letter.time, "\(letter.attempts)", letter.error]) }
        table.printAll()
    }

    private static func redeliver(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            var webhook: String
            var ids: [String]
        }
        struct Answer: Decodable { var queued: Int }
        let answer: Answer = try call(
            "RedeliverDeadLetters",
            Request(webhook: try name(arguments), ids: Array(arguments.operands.dropFirst(2))), client)
        Console.print("queued \(answer.queued); 'kith webhooks deliveries' tells what becomes of them")
    }
}

private struct Nothing: Decodable {}

private struct ListedWebhook: Decodable {
    var name, url, state, reason, lagCommits: String
    var failures, deadLetters: Int

    /// Such as `paused (change log full)`.
    var stateText: String {
        let why = reason == "REASON_UNSPECIFIED" ? "" : " (\(lastWords(reason, after: "REASON_")))"
        return lastWords(state, after: "STATE_") + why
    }
}

private struct SecretAnswer: Decodable {
    var webhook: ListedWebhook
    var secret: String
}

private struct ListedDelivery: Decodable {
    var time, outcome, durationUs, eventId, error: String
    var events, attempt, status: Int

    var milliseconds: String { Int64(durationUs).map { decimal(Double($0) / 1_000, 1) } ?? durationUs }
}

private struct ListedLetter: Decodable {
    var id, time, error: String
    var attempts: Int
}

/// `STATE_ACTIVE` as people read it.
private func lastWords(_ name: String, after prefix: String) -> String {
    name.dropFirst(name.hasPrefix(prefix) ? prefix.count : 0).lowercased().split(separator: "_").joined(separator: " ")
}
