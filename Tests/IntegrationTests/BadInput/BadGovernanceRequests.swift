import TestSupport

extension BadRequest {
    private static func text(_ count: Int) -> JSON { .text(String(repeating: "x", count: count)) }

    private static func model(_ field: String, _ value: JSON) -> JSON {
        var model: JSON = ["id": "minilm"]
        model[field] = value
        return ["model": model]
    }

    private static func classification(_ field: String, _ value: JSON) -> JSON {
        var request: JSON = ["collection": "docs", "classification": "internal"]
        request[field] = value
        return request
    }

    private static func hold(_ field: String, _ value: JSON) -> JSON {
        var hold: JSON = ["name": "case-1", "collection": "docs", "field": "a", "valueJson": "1"]
        hold[field] = value
        return ["hold": hold]
    }

    static let holds: [BadRequest] = [
        BadRequest("nothing", .placeLegalHold, [:], "REQUIRED_FIELD_MISSING", "hold"),
        BadRequest("no name", .placeLegalHold, hold("name", ""), "REQUIRED_FIELD_MISSING", "hold.name"),
        BadRequest("bad name", .placeLegalHold, hold("name", "a/b"), "INVALID_NAME", "hold.name"),
        BadRequest("no collection", .placeLegalHold, hold("collection", ""), "REQUIRED_FIELD_MISSING", "hold.collection"),
        BadRequest(
            "unknown collection", .placeLegalHold, hold("collection", "nowhere"), "COLLECTION_NOT_FOUND", "hold.collection",
            code: .notFound),
        BadRequest("no points", .placeLegalHold, hold("field", ""), "REQUIRED_FIELD_MISSING", "hold"),
        BadRequest("two kinds of points", .placeLegalHold, hold("whole", true), "REQUIRED_FIELD_MISSING", "hold"),
        BadRequest(
            "too many points", .placeLegalHold,
            ["hold": ["name": "case-1", "collection": "docs", "points": .all(0..<1_001) { Make.id($0) }]], "LIMIT_EXCEEDED",
            "hold.points"),
        BadRequest(
            "no point id", .placeLegalHold, ["hold": ["name": "case-1", "collection": "docs", "points": [Make.id(1), [:]]]],
            "INVALID_POINT_ID", "hold.points[1]"),
        BadRequest("bad path", .placeLegalHold, hold("field", ".a"), "INVALID_VALUE", "hold.field"),
        BadRequest("no JSON", .placeLegalHold, hold("valueJson", "abc"), "INVALID_VALUE", "hold.value_json"),
        BadRequest("no value", .placeLegalHold, hold("valueJson", ""), "INVALID_VALUE", "hold.value_json"),
        BadRequest("a list", .placeLegalHold, hold("valueJson", "[1]"), "INVALID_VALUE", "hold.value_json"),
        BadRequest(
            "value too long", .placeLegalHold, hold("valueJson", .text("\"" + String(repeating: "x", count: 1_024) + "\"")),
            "LIMIT_EXCEEDED", "hold.value_json"),
        BadRequest("reason too long", .placeLegalHold, hold("reason", text(4_097)), "LIMIT_EXCEEDED", "hold.reason"),
        BadRequest(
            "time is the server's", .placeLegalHold, hold("placedAt", "2026-01-01T00:00:00Z"), "IMMUTABLE_FIELD",
            "hold.placed_at"),
        BadRequest("no name", .releaseLegalHold, [:], "REQUIRED_FIELD_MISSING", "hold"),
        BadRequest("unknown hold", .releaseLegalHold, ["hold": "nowhere"], "HOLD_NOT_FOUND", "hold", code: .notFound),
        BadRequest("unknown hold", .getLegalHold, ["hold": "nowhere"], "HOLD_NOT_FOUND", "hold", code: .notFound),
        BadRequest("page too large", .listLegalHolds, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
    ]

    private static func erasure(_ field: String, _ value: JSON) -> JSON {
        var erasure: JSON = ["name": "e-1", "subject": "s", "collection": "docs", "field": "a", "valueJson": "1"]
        erasure[field] = value
        return ["erasure": erasure]
    }

    static let erasures: [BadRequest] = [
        BadRequest("nothing", .requestErasure, [:], "REQUIRED_FIELD_MISSING", "erasure"),
        BadRequest("no name", .requestErasure, erasure("name", ""), "REQUIRED_FIELD_MISSING", "erasure.name"),
        BadRequest("no subject", .requestErasure, erasure("subject", ""), "REQUIRED_FIELD_MISSING", "erasure.subject"),
        BadRequest("subject too long", .requestErasure, erasure("subject", text(257)), "LIMIT_EXCEEDED", "erasure.subject"),
        BadRequest(
            "unknown collection", .requestErasure, erasure("collection", "nowhere"), "COLLECTION_NOT_FOUND",
            "erasure.collection", code: .notFound),
        BadRequest("no points", .requestErasure, erasure("field", ""), "REQUIRED_FIELD_MISSING", "erasure"),
        BadRequest("bad path", .requestErasure, erasure("field", "a."), "INVALID_VALUE", "erasure.field"),
        BadRequest("an object", .requestErasure, erasure("valueJson", "{}"), "INVALID_VALUE", "erasure.value_json"),
        BadRequest(
            "too many points", .requestErasure,
            ["erasure": ["name": "e-1", "subject": "s", "collection": "docs", "points": .all(0..<1_001) { Make.id($0) }]],
            "LIMIT_EXCEEDED", "erasure.points"),
        BadRequest("reason too long", .requestErasure, erasure("reason", text(4_097)), "LIMIT_EXCEEDED", "erasure.reason"),
        BadRequest(
            "stage is the server's", .requestErasure, erasure("stage", "STAGE_PROVED"), "IMMUTABLE_FIELD", "erasure.stage"),
        BadRequest("no name", .getErasure, [:], "REQUIRED_FIELD_MISSING", "erasure"),
        BadRequest("unknown erasure", .getErasure, ["erasure": "nowhere"], "ERASURE_NOT_FOUND", "erasure", code: .notFound),
        BadRequest("page too large", .listErasures, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
    ]

    private static func retention(_ field: String, _ value: JSON) -> JSON {
        var request: JSON = ["collection": "docs", "maxAgeSeconds": 60]
        request[field] = value
        return request
    }

    static let retentions: [BadRequest] = [
        BadRequest("no collection", .setRetention, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "unknown collection", .setRetention, retention("collection", "nowhere"), "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest(
            "more than a hundred years", .setRetention, retention("maxAgeSeconds", 3_155_760_001), "LIMIT_EXCEEDED",
            "max_age_seconds"),
        BadRequest("bad path", .setRetention, retention("field", "a..b"), "INVALID_VALUE", "field"),
        BadRequest("path too long", .setRetention, retention("field", text(513)), "LIMIT_EXCEEDED", "field"),
        BadRequest("a field without an age", .setRetention, ["collection": "docs", "field": "a"], "INVALID_VALUE", "field"),
        BadRequest("no collection", .getRetention, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest("page too large", .listRetentions, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
    ]

    private static func run(_ field: String, _ value: JSON) -> JSON {
        var request: JSON = [
            "job": ["namespace": "airflow", "name": "embed"], "runId": "7e57d004-2b97-4e7a-b45f-5387367791cd",
            "state": "RUN_STATE_START",
        ]
        request[field] = value
        return request
    }

    static let lineage: [BadRequest] = [
        BadRequest("no job", .recordRun, [:], "REQUIRED_FIELD_MISSING", "job"),
        BadRequest("no name", .recordRun, run("job", ["namespace": "a"]), "REQUIRED_FIELD_MISSING", "job.name"),
        BadRequest(
            "name too long", .recordRun, run("job", ["namespace": "a", "name": text(513)]), "LIMIT_EXCEEDED", "job.name"),
        BadRequest("no UUID", .recordRun, run("runId", "42"), "INVALID_VALUE", "run_id"),
        BadRequest("no state", .recordRun, run("state", "RUN_STATE_UNSPECIFIED"), "REQUIRED_FIELD_MISSING", "state"),
        BadRequest(
            "too many inputs", .recordRun, run("inputs", .all(0..<101) { _ in ["namespace": "a", "name": "b"] }),
            "LIMIT_EXCEEDED", "inputs"),
        BadRequest(
            "unknown collection", .recordRun, run("outputs", [["collection": "nowhere"]]), "COLLECTION_NOT_FOUND",
            "outputs[0].collection", code: .notFound),
        BadRequest(
            "unknown input collection", .recordRun, run("inputCollections", ["nowhere"]), "COLLECTION_NOT_FOUND",
            "input_collections[0]", code: .notFound),
        BadRequest(
            "output twice", .recordRun,
            run("outputs", [["collection": "docs", "dataset": ["namespace": "a", "name": "b"]]]), "INVALID_VALUE",
            "outputs[0].collection"),
        BadRequest(
            "output without a name", .recordRun, run("outputs", [["dataset": ["namespace": "a"]]]), "REQUIRED_FIELD_MISSING",
            "outputs[0].dataset.name"),
        BadRequest("error too long", .recordRun, run("error", text(4_097)), "LIMIT_EXCEEDED", "error"),
    ]

    static let decisions: [BadRequest] = [
        BadRequest("nothing", .registerModel, [:], "REQUIRED_FIELD_MISSING", "model"),
        BadRequest("no id", .registerModel, model("id", ""), "REQUIRED_FIELD_MISSING", "model.id"),
        BadRequest("id too long", .registerModel, model("id", text(257)), "LIMIT_EXCEEDED", "model.id"),
        BadRequest("an id with a revision in it", .registerModel, model("id", "a@1"), "INVALID_NAME", "model.id"),
        BadRequest("revision too long", .registerModel, model("revision", text(257)), "LIMIT_EXCEEDED", "model.revision"),
        BadRequest("owner too long", .registerModel, model("owner", text(257)), "LIMIT_EXCEEDED", "model.owner"),
        BadRequest("licence too long", .registerModel, model("licence", text(257)), "LIMIT_EXCEEDED", "model.licence"),
        BadRequest("dimension too large", .registerModel, model("dimension", 65_537), "LIMIT_EXCEEDED", "model.dimension"),
        BadRequest(
            "description too long", .registerModel, model("description", text(4_097)), "LIMIT_EXCEEDED", "model.description"),
        BadRequest(
            "too many labels", .registerModel,
            model("labels", .object(Dictionary(uniqueKeysWithValues: (0..<65).map { ("k\($0)", "v") }))), "LIMIT_EXCEEDED",
            "model.labels"),
        BadRequest(
            "label too long", .registerModel, model("labels", ["k": text(257)]), "LIMIT_EXCEEDED", "model.labels[\"k\"]"),
        BadRequest(
            "time is the server's", .registerModel, model("registeredAt", "2026-01-01T00:00:00Z"), "IMMUTABLE_FIELD",
            "model.registered_at"),
        BadRequest(
            "request id too long", .registerModel, ["model": ["id": "minilm"], "requestId": text(129)], "LIMIT_EXCEEDED",
            "request_id"),
        BadRequest("no id", .getModel, [:], "REQUIRED_FIELD_MISSING", "id"),
        BadRequest("unknown model", .getModel, ["id": "nowhere"], "MODEL_NOT_FOUND", "id", code: .notFound),
        BadRequest("page too large", .listModels, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
        BadRequest("page token", .listModels, ["pageToken": "?"], "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest("no collection", .setClassification, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "unknown collection", .setClassification, classification("collection", "nowhere"), "COLLECTION_NOT_FOUND",
            "collection", code: .notFound),
        BadRequest("no path", .setClassification, classification("field", "a..b"), "INVALID_VALUE", "field"),
        BadRequest("path too long", .setClassification, classification("field", text(513)), "LIMIT_EXCEEDED", "field"),
        BadRequest(
            "two words", .setClassification, classification("classification", "top secret"), "INVALID_NAME", "classification"),
        BadRequest(
            "too many labels", .setClassification, classification("labels", .all(0..<17) { .text("l\($0)") }), "LIMIT_EXCEEDED",
            "labels"),
        BadRequest("bad label", .setClassification, classification("labels", ["ok", "no/"]), "INVALID_NAME", "labels[1]"),
        BadRequest("reason too long", .setClassification, classification("reason", text(4_097)), "LIMIT_EXCEEDED", "reason"),
        BadRequest(
            "unknown collection", .listClassifications, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
    ]
}
