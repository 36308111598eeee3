import TestSupport

extension BadRequest {
    private static func create(_ collection: JSON) -> JSON {
        var collection = collection
        if collection["name"] == .null { collection["name"] = "fresh" }
        return ["collection": collection]
    }

    private static func space(_ field: String, _ value: JSON) -> JSON {
        var space = Make.space("text", dimension: 4)
        space[field] = value
        return create(["vectorSpaces": [space]])
    }

    private static func spaces(_ names: [String]) -> JSON {
        create(["vectorSpaces": .all(names) { Make.space($0, dimension: 4) }])
    }

    private static func index(_ kind: String, _ parameters: [String: String]) -> JSON {
        space("index", ["kind": .text(kind), "parameters": .object(parameters.mapValues { .text($0) })])
    }

    private static func text(_ count: Int) -> JSON { .text(String(repeating: "x", count: count)) }

    private static let first = "collection.vector_spaces[0]"

    /// A change of the only vector space of `docs`.
    private static func change(_ fields: [String: JSON], index: JSON = ["kind": "flat"]) -> JSON {
        var space: JSON = ["index": index]
        for (field, value) in fields { space[field] = value }
        return ["collection": ["name": "docs", "vectorSpaces": [space]], "updateMask": "vectorSpaces"]
    }

    static let indexChanges: [BadRequest] = [
        BadRequest("dimension", .updateCollection, change(["dimension": 4]), "IMMUTABLE_FIELD", "\(first).dimension"),
        BadRequest("metric", .updateCollection, change(["metric": "METRIC_DOT"]), "IMMUTABLE_FIELD", "\(first).metric"),
        BadRequest(
            "element type", .updateCollection, change(["elementType": "ELEMENT_TYPE_INT8"]), "IMMUTABLE_FIELD",
            "\(first).element_type"),
        BadRequest("model", .updateCollection, change(["model": ["id": "m"]]), "IMMUTABLE_FIELD", "\(first).model"),
        BadRequest("no kind", .updateCollection, change([:], index: [:]), "REQUIRED_FIELD_MISSING", "\(first).index.kind"),
        BadRequest(
            "unknown kind", .updateCollection, change([:], index: ["kind": "hash"]), "UNKNOWN_INDEX_KIND", "\(first).index.kind"),
        BadRequest(
            "parameter", .updateCollection, change([:], index: ["kind": "graph", "parameters": ["degree": "many"]]),
            "INVALID_INDEX_PARAMETER", "\(first).index.parameters[\"degree\"]"),
        BadRequest("unknown space", .updateCollection, change(["name": "x"]), "UNKNOWN_VECTOR_SPACE", "\(first).name"),
        BadRequest(
            "unknown collection", .rebuildIndex, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest(
            "unknown space", .rebuildIndex, ["collection": "docs", "vectorSpace": "x"], "UNKNOWN_VECTOR_SPACE",
            "vector_space"),
        BadRequest(
            "unknown collection", .pauseIndexMaintenance, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest("no collection", .resumeIndexMaintenance, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "pausing has a call of its own", .createCollection, create(["indexMaintenancePaused": true]), "IMMUTABLE_FIELD",
            "collection.index_maintenance_paused"),
    ]

    static let creations: [BadRequest] = [
        BadRequest("nothing", .createCollection, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest("no name", .createCollection, create(["name": ""]), "REQUIRED_FIELD_MISSING", "collection.name"),
        BadRequest("name with a slash", .createCollection, create(["name": "a/b"]), "INVALID_NAME", "collection.name"),
        BadRequest("name of dots", .createCollection, create(["name": ".."]), "INVALID_NAME", "collection.name"),
        BadRequest("name too long", .createCollection, create(["name": text(129)]), "INVALID_NAME", "collection.name"),
        BadRequest(
            "name taken", .createCollection, create(["name": "docs"]), "COLLECTION_ALREADY_EXISTS", "collection.name",
            code: .alreadyExists),
        BadRequest(
            "name taken by an alias", .createCollection, create(["name": "papers"]), "COLLECTION_ALREADY_EXISTS",
            "collection.name", code: .alreadyExists),
        BadRequest(
            "too many spaces", .createCollection, spaces((0..<17).map { "s\($0)" }), "LIMIT_EXCEEDED",
            "collection.vector_spaces"),
        BadRequest(
            "space named twice", .createCollection, spaces(["a", "a"]), "DUPLICATE_NAME", "collection.vector_spaces[1].name"),
        BadRequest(
            "unnamed space among two", .createCollection, spaces(["", "a"]), "REQUIRED_FIELD_MISSING", "\(first).name"),
        BadRequest("space name", .createCollection, space("name", "a b"), "INVALID_NAME", "\(first).name"),
        BadRequest("no dimension", .createCollection, space("dimension", 0), "INVALID_DIMENSION", "\(first).dimension"),
        BadRequest(
            "dimension too large", .createCollection, space("dimension", 65_537), "INVALID_DIMENSION", "\(first).dimension"),
        BadRequest(
            "absurd dimension", .createCollection, space("dimension", 4_294_967_295), "INVALID_DIMENSION", "\(first).dimension"),
        BadRequest(
            "unknown element type", .createCollection, space("elementType", 99), "UNKNOWN_ENUM_VALUE", "\(first).element_type"),
        BadRequest("unknown metric", .createCollection, space("metric", -7), "UNKNOWN_ENUM_VALUE", "\(first).metric"),
        BadRequest(
            "bits under floats", .createCollection, space("metric", "METRIC_HAMMING"), "METRIC_MISMATCH", "\(first).metric"),
        BadRequest(
            "cosine of bits", .createCollection, space("elementType", "ELEMENT_TYPE_BINARY"), "METRIC_MISMATCH",
            "\(first).metric"),
        BadRequest("unknown index kind", .createCollection, index("tree", [:]), "UNKNOWN_INDEX_KIND", "\(first).index.kind"),
        BadRequest(
            "unknown index parameter", .createCollection, index("graph", ["depth": "3"]), "INVALID_INDEX_PARAMETER",
            #"\#(first).index.parameters["depth"]"#),
        BadRequest(
            "index parameter of a flat index", .createCollection, index("flat", ["degree": "8"]), "INVALID_INDEX_PARAMETER",
            #"\#(first).index.parameters["degree"]"#),
        BadRequest(
            "index parameter that is no number", .createCollection, index("graph", ["degree": "many"]), "INVALID_INDEX_PARAMETER",
            #"\#(first).index.parameters["degree"]"#),
        BadRequest(
            "negative index parameter", .createCollection, index("graph", ["construction_window": "-1"]),
            "INVALID_INDEX_PARAMETER", #"\#(first).index.parameters["construction_window"]"#),
        BadRequest(
            "absurd index parameter", .createCollection, index("graph", ["search_window": "99999999999999999999"]),
            "INVALID_INDEX_PARAMETER", #"\#(first).index.parameters["search_window"]"#),
        BadRequest(
            "too many index parameters", .createCollection,
            index("graph", Dictionary(uniqueKeysWithValues: (0..<33).map { ("p\($0)", "1") })), "LIMIT_EXCEEDED",
            "\(first).index.parameters"),
        BadRequest(
            "model id too long", .createCollection, space("model", ["id": text(257)]), "LIMIT_EXCEEDED", "\(first).model.id"),
        BadRequest(
            "too many shards", .createCollection, create(["shardCount": 65]), "LIMIT_EXCEEDED", "collection.shard_count"),
        BadRequest(
            "absurd shards", .createCollection, create(["shardCount": 4_294_967_295]), "LIMIT_EXCEEDED",
            "collection.shard_count"),
        BadRequest(
            "description too long", .createCollection, create(["description": text(4_097)]), "LIMIT_EXCEEDED",
            "collection.description"),
        BadRequest(
            "too many labels", .createCollection,
            create(["labels": .object(Dictionary(uniqueKeysWithValues: (0..<65).map { ("l\($0)", "v") }))]), "LIMIT_EXCEEDED",
            "collection.labels"),
        BadRequest(
            "label too long", .createCollection, create(["labels": ["key": text(257)]]), "LIMIT_EXCEEDED",
            #"collection.labels["key"]"#),
        BadRequest(
            "unknown durability", .createCollection, create(["durability": 4]), "UNKNOWN_ENUM_VALUE", "collection.durability"),
        BadRequest(
            "unknown tail policy", .createCollection, create(["tail": ["policy": 9]]), "UNKNOWN_ENUM_VALUE",
            "collection.tail.policy"),
        BadRequest(
            "unknown event vectors", .createCollection, create(["changeEvents": ["vectors": 9]]), "UNKNOWN_ENUM_VALUE",
            "collection.change_events.vectors"),
        BadRequest(
            "unknown event encoding", .createCollection, create(["changeEvents": ["encoding": -1]]), "UNKNOWN_ENUM_VALUE",
            "collection.change_events.encoding"),
        BadRequest("id is the server's", .createCollection, create(["id": 7]), "IMMUTABLE_FIELD", "collection.id"),
        BadRequest("etag is the server's", .createCollection, create(["etag": "x"]), "IMMUTABLE_FIELD", "collection.etag"),
        BadRequest(
            "time is the server's", .createCollection, create(["createdAt": "2026-01-01T00:00:00Z"]), "IMMUTABLE_FIELD",
            "collection.created_at"),
        BadRequest(
            "aliases have a call of their own", .createCollection, create(["aliases": ["a"]]), "IMMUTABLE_FIELD",
            "collection.aliases"),
    ]

    static let collectionChanges: [BadRequest] = [
        BadRequest("no name", .getCollection, [:], "REQUIRED_FIELD_MISSING", "name"),
        BadRequest(
            "unknown collection", .getCollection, ["name": "nowhere"], "COLLECTION_NOT_FOUND", "name", code: .notFound),
        BadRequest("negative page", .listCollections, ["pageSize": -1], "LIMIT_EXCEEDED", "page_size"),
        BadRequest("page too large", .listCollections, ["pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
        BadRequest("page token", .listCollections, ["pageToken": "?!"], "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest("page token too long", .listCollections, ["pageToken": text(1_028)], "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest("nothing", .updateCollection, [:], "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "no mask", .updateCollection, ["collection": ["name": "docs"]], "REQUIRED_FIELD_MISSING", "update_mask"),
        BadRequest(
            "mask of a fixed field", .updateCollection, ["collection": ["name": "docs"], "updateMask": "shardCount"],
            "IMMUTABLE_FIELD", "update_mask"),
        BadRequest(
            "mask of a field that is not there", .updateCollection, ["collection": ["name": "docs"], "updateMask": "colour"],
            "IMMUTABLE_FIELD", "update_mask"),
        BadRequest(
            "wrong etag", .updateCollection,
            ["collection": ["name": "docs"], "updateMask": "description", "etag": "9-9"], "ETAG_MISMATCH", "etag",
            code: .aborted),
        BadRequest(
            "unknown collection", .updateCollection, ["collection": ["name": "nowhere"], "updateMask": "description"],
            "COLLECTION_NOT_FOUND", "collection.name", code: .notFound),
        BadRequest(
            "description too long", .updateCollection,
            ["collection": ["name": "docs", "description": text(4_097)], "updateMask": "description"], "LIMIT_EXCEEDED",
            "collection.description"),
        BadRequest("no name", .deleteCollection, [:], "REQUIRED_FIELD_MISSING", "name"),
        BadRequest(
            "unknown collection", .deleteCollection, ["name": "nowhere"], "COLLECTION_NOT_FOUND", "name", code: .notFound),
        BadRequest(
            "an alias cannot be deleted so", .deleteCollection, ["name": "papers"], "COLLECTION_NOT_FOUND", "name",
            code: .notFound),
        BadRequest(
            "wrong etag", .deleteCollection, ["name": "docs", "etag": "0-0"], "ETAG_MISMATCH", "etag", code: .aborted),
        BadRequest(
            "unknown collection", .getCollectionStats, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest("no actions", .updateAliases, [:], "REQUIRED_FIELD_MISSING", "actions"),
        BadRequest(
            "too many actions", .updateAliases,
            ["actions": .all(0..<101) { ["assign": ["alias": .text("a\($0)"), "collection": "docs"]] }], "LIMIT_EXCEEDED",
            "actions"),
        BadRequest("empty action", .updateAliases, ["actions": [[:]]], "REQUIRED_FIELD_MISSING", "actions[0].action"),
        BadRequest(
            "alias named as a collection", .updateAliases,
            ["actions": [["assign": ["alias": "bits", "collection": "docs"]]]], "COLLECTION_ALREADY_EXISTS",
            "actions[0].assign.alias", code: .alreadyExists),
        BadRequest(
            "alias name", .updateAliases, ["actions": [["assign": ["alias": "a b", "collection": "docs"]]]], "INVALID_NAME",
            "actions[0].assign.alias"),
        BadRequest(
            "alias of nothing, behind a good one", .updateAliases,
            [
                "actions": [
                    ["assign": ["alias": "good", "collection": "docs"]],
                    ["assign": ["alias": "bad", "collection": "nowhere"]],
                ]
            ], "COLLECTION_NOT_FOUND", "actions[1].assign.collection", code: .notFound),
        BadRequest(
            "unknown alias", .updateAliases, ["actions": [["remove": ["alias": "none"]]]], "ALIAS_NOT_FOUND",
            "actions[0].remove.alias", code: .notFound),
    ]
}
