import TestSupport

extension BadRequest {
    private static func search(_ more: [String: JSON] = [:], _ vector: JSON = Make.vector([1, 0, 0])) -> JSON {
        var request: JSON = ["collection": "docs", "query": ["vector": vector]]
        for (field, value) in more { request[field] = value }
        return request
    }

    private static func get(_ more: [String: JSON] = [:]) -> JSON {
        var request: JSON = ["collection": "docs", "ids": [Make.id(1)]]
        for (field, value) in more { request[field] = value }
        return request
    }

    private static let shardTwo: JSON = [["shard": 2, "position": "1"]]
    private static let farAhead: JSON = [["shard": 0, "position": "1000000"]]

    static let searches: [BadRequest] = [
        BadRequest("no collection", .search, search(["collection": ""]), "REQUIRED_FIELD_MISSING", "collection"),
        BadRequest(
            "unknown collection", .search, search(["collection": "nowhere"]), "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest(
            "unknown collection of a name too long for headers", .search,
            search(["collection": .text(String(repeating: "é", count: 100_000))]), "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest("no query", .search, search(["query": .null]), "REQUIRED_FIELD_MISSING", "query"),
        BadRequest("empty query", .search, search(["query": [:]]), "REQUIRED_FIELD_MISSING", "query"),
        BadRequest("wrong dimension", .search, search([:], Make.vector([1, 2])), "INVALID_DIMENSION", "query.vector.values"),
        BadRequest("NaN", .search, search([:], Make.vector([.nan, 0, 0])), "NON_FINITE_VECTOR", "query.vector"),
        BadRequest("zero under cosine", .search, search([:], Make.vector([0, 0, 0])), "ZERO_VECTOR", "query.vector"),
        BadRequest(
            "wrong element type", .search,
            search([:], ["data": .bytes([1, 2, 3]), "elementType": "ELEMENT_TYPE_UINT8"]), "ELEMENT_TYPE_MISMATCH",
            "query.vector.element_type"),
        BadRequest("unknown space", .search, search(["vectorSpace": "smell"]), "UNKNOWN_VECTOR_SPACE", "vector_space"),
        BadRequest("no space among two", .search, search(["collection": "pairs"]), "UNKNOWN_VECTOR_SPACE", "vector_space"),
        BadRequest(
            "search where there are no spaces", .search, search(["collection": "bare"]), "UNKNOWN_VECTOR_SPACE", "vector_space"),
        BadRequest(
            "vector of another space", .search,
            search(["collection": "pairs", "vectorSpace": "text"], Make.vector([1, 2, 3, 4], space: "image")),
            "UNKNOWN_VECTOR_SPACE", "query.vector.space"),
        BadRequest("top_k too large", .search, search(["topK": 10_001]), "LIMIT_EXCEEDED", "top_k"),
        BadRequest("absurd top_k", .search, search(["topK": 4_294_967_295]), "LIMIT_EXCEEDED", "top_k"),
        BadRequest(
            "effort too large", .search, search(["parameters": ["effort": 65_537]]), "LIMIT_EXCEEDED", "parameters.effort"),
        BadRequest(
            "effort and recall target", .search, search(["parameters": ["effort": 64, "recallTarget": 0.9]]), "INVALID_VALUE",
            "parameters.effort"),
        BadRequest(
            "recall target over 1", .search, search(["parameters": ["recallTarget": 1.5]]), "INVALID_VALUE",
            "parameters.recall_target"),
        BadRequest(
            "negative recall target", .search, search(["parameters": ["recallTarget": -1]]), "INVALID_VALUE",
            "parameters.recall_target"),
        BadRequest(
            "recall target that is no number", .search, search(["parameters": ["recallTarget": "NaN"]]), "INVALID_VALUE",
            "parameters.recall_target"),
        BadRequest(
            "threshold that is no number", .search, search(["scoreThreshold": "NaN"]), "INVALID_VALUE", "score_threshold"),
        BadRequest(
            "score transform without a function", .search, search(["scoreTransform": ["scale": 2]]), "REQUIRED_FIELD_MISSING",
            "score_transform.function"),
        BadRequest(
            "score transform that is none", .search, search(["scoreTransform": ["function": 9]]), "UNKNOWN_ENUM_VALUE",
            "score_transform.function"),
        BadRequest(
            "score scale of nothing", .search, search(["scoreTransform": ["function": "LINEAR", "scale": 0]]), "INVALID_VALUE",
            "score_transform.scale"),
        BadRequest(
            "score offset that is no number", .search,
            search(["scoreTransform": ["function": "LOGISTIC", "offset": "Infinity"]]), "INVALID_VALUE",
            "score_transform.offset"),
        BadRequest(
            "normalized scores, scaled", .search, search(["scoreTransform": ["function": "NORMALIZED", "scale": 2]]),
            "INVALID_VALUE", "score_transform.function"),
        BadRequest(
            "reciprocal of a similarity", .search, search(["scoreTransform": ["function": "RECIPROCAL"]]), "METRIC_MISMATCH",
            "score_transform.function"),
        BadRequest(
            "unknown space selected", .search, search(["select": ["vectors": true, "vectorSpaces": ["smell"]]]),
            "UNKNOWN_VECTOR_SPACE", "select.vector_spaces[0]"),
        BadRequest(
            "query point that is not there", .search, search(["query": ["pointId": Make.id(404)]]), "POINT_NOT_FOUND",
            "query.point_id", code: .notFound),
        BadRequest(
            "malformed query point", .search, search(["query": ["pointId": ["uuid": "AA=="]]]), "INVALID_POINT_ID",
            "query.point_id.uuid"),
        BadRequest(
            "query point without a vector there", .search,
            ["collection": "pairs", "vectorSpace": "image", "query": ["pointId": Make.id(1)]], "UNKNOWN_VECTOR_SPACE",
            "query.point_id"),
        BadRequest(
            "position of an unknown shard", .search, search(["minPositions": shardTwo]), "INVALID_POSITION",
            "min_positions[0].shard"),
        BadRequest(
            "position that does not come", .search, search(["minPositions": farAhead]), "POSITION_NOT_REACHED", "",
            code: .deadlineExceeded, timeoutMilliseconds: 200),
        BadRequest("no searches", .searchBatch, ["collection": "docs"], "REQUIRED_FIELD_MISSING", "searches"),
        BadRequest(
            "too many searches", .searchBatch, ["collection": "docs", "searches": .all(0..<1_001) { _ in search() }],
            "LIMIT_EXCEEDED", "searches"),
    ]

    static let reads: [BadRequest] = [
        BadRequest("no ids", .get, get(["ids": []]), "REQUIRED_FIELD_MISSING", "ids"),
        BadRequest("too many ids", .get, get(["ids": .all(0..<10_001) { Make.id($0) }]), "LIMIT_EXCEEDED", "ids"),
        BadRequest("malformed id", .get, get(["ids": [Make.id(1), [:]]]), "REQUIRED_FIELD_MISSING", "ids[1]"),
        BadRequest(
            "unknown collection", .get, get(["collection": "nowhere"]), "COLLECTION_NOT_FOUND", "collection", code: .notFound),
        BadRequest(
            "unknown space selected", .get, get(["select": ["vectors": true, "vectorSpaces": ["smell"]]]),
            "UNKNOWN_VECTOR_SPACE", "select.vector_spaces[0]"),
        BadRequest(
            "too many spaces selected", .get,
            get(["select": ["vectors": true, "vectorSpaces": .all(0..<17) { _ in "" }]]), "LIMIT_EXCEEDED",
            "select.vector_spaces"),
        BadRequest(
            "position of an unknown shard", .get, get(["minPositions": shardTwo]), "INVALID_POSITION",
            "min_positions[0].shard"),
        BadRequest(
            "too many positions", .get, get(["minPositions": .all(0..<65) { _ in ["shard": 0] }]), "LIMIT_EXCEEDED",
            "min_positions"),
        BadRequest(
            "unknown collection", .count, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection", code: .notFound),
        BadRequest(
            "position of an absurd shard", .count,
            ["collection": "docs", "minPositions": [["shard": 4_294_967_295, "position": "1"]]], "INVALID_POSITION",
            "min_positions[0].shard"),
        BadRequest(
            "too many positions", .count, ["collection": "docs", "minPositions": .all(0..<65) { _ in ["shard": 0] }],
            "LIMIT_EXCEEDED", "min_positions"),
        BadRequest(
            "position that does not come", .count, ["collection": "docs", "minPositions": farAhead], "POSITION_NOT_REACHED", "",
            code: .deadlineExceeded, timeoutMilliseconds: 200),
        BadRequest("negative page", .scroll, ["collection": "docs", "pageSize": -5], "LIMIT_EXCEEDED", "page_size"),
        BadRequest("page too large", .scroll, ["collection": "docs", "pageSize": 1_001], "LIMIT_EXCEEDED", "page_size"),
        BadRequest("page token", .scroll, ["collection": "docs", "pageToken": "nonsense"], "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest(
            "page token of another collection", .scroll, ["collection": "docs", "pageToken": .bytes([9, 0, 0, 0, 0, 0])],
            "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest(
            "page token of another shard", .scroll, ["collection": "docs", "pageToken": .bytes([1, 0, 0, 0, 7, 0])],
            "INVALID_PAGE_TOKEN", "page_token"),
        BadRequest(
            "too many spaces selected", .scroll,
            ["collection": "docs", "select": ["vectors": true, "vectorSpaces": .all(0..<17) { _ in "" }]], "LIMIT_EXCEEDED",
            "select.vector_spaces"),
        BadRequest(
            "unknown collection", .export, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection", code: .notFound),
        BadRequest(
            "unknown space selected", .export,
            ["collection": "docs", "select": ["vectors": true, "vectorSpaces": ["smell"]]], "UNKNOWN_VECTOR_SPACE",
            "select.vector_spaces[0]"),
        BadRequest("no id of an event", .getEvent, ["id": "kith/1.0/1/points/7"], "INVALID_VALUE", "id"),
        BadRequest("event that is not there", .getEvent, ["id": "kith/1.0/99/0"], "EVENT_NOT_FOUND", "id", code: .notFound),
        BadRequest(
            "unknown collection", .getPositions, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection",
            code: .notFound),
        BadRequest(
            "unknown collection", .subscribe, ["collection": "nowhere"], "COLLECTION_NOT_FOUND", "collection", code: .notFound),
        BadRequest("unknown start", .subscribe, ["collection": "docs", "start": 9], "UNKNOWN_ENUM_VALUE", "start"),
        BadRequest(
            "from a future position", .subscribe,
            ["collection": "docs", "start": "START_POSITION", "positions": farAhead], "INVALID_POSITION",
            "positions[0].position", code: .outOfRange),
        BadRequest(
            "from a position of an unknown shard", .subscribe,
            ["collection": "docs", "start": "START_POSITION", "positions": shardTwo], "INVALID_POSITION", "positions[0].shard"),
        BadRequest(
            "heartbeat too short", .subscribe, ["collection": "docs", "heartbeatMilliseconds": 1], "INVALID_VALUE",
            "heartbeat_milliseconds"),
        BadRequest(
            "heartbeat too long", .subscribe, ["collection": "docs", "heartbeatMilliseconds": 4_294_967_295], "INVALID_VALUE",
            "heartbeat_milliseconds"),
        BadRequest("unknown service", .checkHealth, ["service": "nothing"], "INVALID_VALUE", "service", code: .notFound),
    ]
}
