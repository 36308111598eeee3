import TestSupport

extension BadRequest {
    private static func webhook(_ field: String, _ value: JSON) -> JSON {
        var webhook: JSON = ["name": "hook", "url": "https://example.com/"]
        webhook[field] = value
        return ["webhook": webhook]
    }

    private static func text(_ count: Int) -> JSON { .text(String(repeating: "x", count: count)) }

    private static func url(_ what: String, _ url: JSON, _ reason: String = "INVALID_URL") -> BadRequest {
        BadRequest(what, .createWebhook, webhook("url", url), reason, "webhook.url")
    }

    private static func forbidden(_ what: String, _ url: JSON) -> BadRequest {
        BadRequest(what, .createWebhook, webhook("url", url), "FORBIDDEN_URL", "webhook.url", code: .permissionDenied)
    }

    static let webhooks: [BadRequest] = [
        BadRequest("nothing", .createWebhook, [:], "REQUIRED_FIELD_MISSING", "webhook"),
        BadRequest("no name", .createWebhook, webhook("name", ""), "REQUIRED_FIELD_MISSING", "webhook.name"),
        BadRequest("name with a space", .createWebhook, webhook("name", "a b"), "INVALID_NAME", "webhook.name"),
        url("no URL", "", "REQUIRED_FIELD_MISSING"),
        url("URL too long", .text("https://example.com/" + String(repeating: "x", count: 2_048)), "LIMIT_EXCEEDED"),
        url("no URL at all", "example"),
        forbidden("plain http", "http://example.com/"),
        forbidden("plain http to a private address", "http://10.0.0.1/"),
        url("another scheme", "file:///etc/passwd"),
        url("a user", "https://user:secret@example.com/"),
        forbidden("cloud metadata", "https://169.254.169.254/latest"),
        forbidden("the same in IPv6", "https://[::ffff:169.254.169.254]/latest"),
        forbidden("the same as a number", "https://2852039166/latest"),
        forbidden("unspecified", "https://0.0.0.0/"),
        forbidden("multicast", "https://[ff02::1]/"),
        BadRequest(
            "collection name", .createWebhook, webhook("collections", ["a", "/"]), "INVALID_NAME", "webhook.collections[1]"),
        BadRequest(
            "too many collections", .createWebhook, webhook("collections", .all(0..<101) { .text("c\($0)") }),
            "LIMIT_EXCEEDED", "webhook.collections"),
        BadRequest(
            "an operation that no log has", .createWebhook, webhook("operations", ["CHANGE_OPERATION_READ"]),
            "UNKNOWN_ENUM_VALUE", "webhook.operations[0]"),
        BadRequest("unknown mode", .createWebhook, webhook("mode", 9), "UNKNOWN_ENUM_VALUE", "webhook.mode"),
        BadRequest(
            "protobuf in batches", .createWebhook,
            ["webhook": ["name": "hook", "url": "https://example.com/", "mode": "MODE_BATCH", "encoding": "ENCODING_PROTOBUF"]],
            "INVALID_VALUE", "webhook.encoding"),
        BadRequest(
            "batch too large", .createWebhook, webhook("batchEvents", 1_001), "LIMIT_EXCEEDED", "webhook.batch_events"),
        BadRequest(
            "timeout too long", .createWebhook, webhook("timeoutMilliseconds", 30_001), "LIMIT_EXCEEDED",
            "webhook.timeout_milliseconds"),
        BadRequest("too many attempts", .createWebhook, webhook("attempts", 101), "LIMIT_EXCEEDED", "webhook.attempts"),
        BadRequest(
            "description too long", .createWebhook, webhook("description", text(4_097)), "LIMIT_EXCEEDED",
            "webhook.description"),
        BadRequest("id is the server's", .createWebhook, webhook("id", 3), "IMMUTABLE_FIELD", "webhook.id"),
        BadRequest(
            "state is the server's", .createWebhook, webhook("state", "STATE_PAUSED"), "IMMUTABLE_FIELD", "webhook.state"),
        BadRequest(
            "secret", .createWebhook, ["webhook": ["name": "hook", "url": "https://example.com/"], "secret": "abc"],
            "INVALID_VALUE", "secret"),
        BadRequest(
            "secret too short", .createWebhook,
            ["webhook": ["name": "hook", "url": "https://example.com/"], "secret": "whsec_AAAA"], "LIMIT_EXCEEDED", "secret"),
        BadRequest("unknown webhook", .getWebhook, ["name": "nowhere"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest("no name", .getWebhook, [:], "REQUIRED_FIELD_MISSING", "name"),
        BadRequest("nothing", .updateWebhook, [:], "REQUIRED_FIELD_MISSING", "webhook"),
        BadRequest("no mask", .updateWebhook, ["webhook": ["name": "x"]], "REQUIRED_FIELD_MISSING", "update_mask"),
        BadRequest(
            "unknown webhook", .updateWebhook, ["webhook": ["name": "x"], "updateMask": "url"], "WEBHOOK_NOT_FOUND",
            "webhook.name", code: .notFound),
        BadRequest("unknown webhook", .deleteWebhook, ["name": "x"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest("unknown webhook", .pauseWebhook, ["name": "x"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest("unknown webhook", .resumeWebhook, ["name": "x"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest("unknown webhook", .testWebhook, ["name": "x"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest(
            "unknown webhook", .rotateWebhookSecret, ["name": "x"], "WEBHOOK_NOT_FOUND", "name", code: .notFound),
        BadRequest(
            "kept too long", .rotateWebhookSecret, ["name": "x", "keepSeconds": 2_592_001], "LIMIT_EXCEEDED", "keep_seconds"),
        BadRequest("page too large", .listWebhooks, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
        BadRequest(
            "unknown webhook", .listDeliveries, ["webhook": "x"], "WEBHOOK_NOT_FOUND", "webhook", code: .notFound),
        BadRequest("page token", .listDeliveries, ["webhook": "x", "pageToken": "YQ=="], "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest(
            "unknown webhook", .listDeadLetters, ["webhook": "x"], "WEBHOOK_NOT_FOUND", "webhook", code: .notFound),
        BadRequest(
            "too many ids", .redeliverDeadLetters, ["webhook": "x", "ids": .all(0..<1_001) { .text("\($0)") }],
            "LIMIT_EXCEEDED", "ids"),
    ]
}
