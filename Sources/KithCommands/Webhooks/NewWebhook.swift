import KithCore

/// A webhook as the command line describes it: the fields that options name.
struct NewWebhook: Encodable {
    static let options = [
        Option(name: "url", value: "URL", help: "create, update: https://..., or http to loopback"),
        Option(name: "collections", value: "LIST", help: "create, update: names, separated by commas; all where left out"),
        Option(name: "operations", value: "LIST", help: "create, update: of create, update, delete; all where left out"),
        Option(name: "mode", value: "MODE", help: "create, update: single or batch (single)"),
        Option(name: "batch-events", value: "N", help: "create, update: events of a batch (100)"),
        Option(name: "encoding", value: "NAME", help: "create, update: json or protobuf (json)"),
        Option(name: "vectors", value: "POLICY", help: "create, update: none, digest or full (as each collection says)"),
        Option(name: "timeout", value: "MILLISECONDS", help: "create, update: how long the endpoint may take (10000)"),
        Option(name: "attempts", value: "N", help: "create, update: tries until an event is a dead letter (12)"),
        Option(name: "description", value: "TEXT", help: "create, update: for people"),
        Option(name: "secret", value: "TEXT", help: "create, rotate-secret: whsec_ and base64 (a random one)"),
        Option(name: "from", value: "PLACE", help: "create: now, or earliest for all changes that are kept (now)"),
    ]

    /// Options and the fields that they set.
    private static let fields = [
        ("url", "url"), ("collections", "collections"), ("operations", "operations"), ("mode", "mode"),
        ("batch-events", "batchEvents"), ("encoding", "encoding"), ("vectors", "vectors"), ("timeout", "timeoutMilliseconds"),
        ("attempts", "attempts"), ("description", "description"),
    ]

    private var name: String
    private var url: String?
    private var collections: [String]?
    private var operations: [String]?
    private var mode: String?
    private var batchEvents: Int?
    private var encoding: String?
    private var vectors: String?
    private var timeoutMilliseconds: Int?
    private var attempts: Int?
    private var description: String?

    init(_ name: String, _ arguments: Arguments) throws(KithError) {
        self.name = name
        url = arguments.value("url")
        collections = arguments.value("collections").map(NewWebhook.list)
        operations = arguments.value("operations").map { NewWebhook.list($0).map { "CHANGE_OPERATION_\($0.uppercased())" } }
        mode = try arguments.choice("mode", [("single", "MODE_SINGLE"), ("batch", "MODE_BATCH")])
        batchEvents = try arguments.number("batch-events", 1...Limits.webhookBatchEvents)
        encoding = try arguments.choice("encoding", [("json", "ENCODING_JSON"), ("protobuf", "ENCODING_PROTOBUF")])
        vectors = try arguments.choice(
            "vectors", [("none", "VECTORS_NONE"), ("digest", "VECTORS_DIGEST"), ("full", "VECTORS_FULL")])
        timeoutMilliseconds = try arguments.number("timeout", Limits.webhookTimeoutMilliseconds)
        attempts = try arguments.number("attempts", Limits.webhookAttempts)
        description = arguments.value("description")
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

    /// A `CreateWebhookRequest`.
    struct Creation: Encodable {
        var webhook: NewWebhook
        var secret: String
        var start: String
    }

    func creation(_ arguments: Arguments) throws(KithError) -> Creation {
        let start = try arguments.choice("from", [("now", "START_NOW"), ("earliest", "START_EARLIEST")])
        return Creation(webhook: self, secret: arguments.value("secret") ?? "", start: start ?? "START_NOW")
    }

    /// An `UpdateWebhookRequest`.
    struct Update: Encodable {
        var webhook: NewWebhook
        var updateMask: String
    }

    func update(_ arguments: Arguments) throws(KithError) -> Update {
        let named = NewWebhook.fields.filter { arguments.value($0.0) != nil }.map { $0.1 }
        guard !named.isEmpty else { throw .usage("nothing to change: give at least one option", key: "url") }
        return Update(webhook: self, updateMask: named.joined(separator: ","))
    }
}
