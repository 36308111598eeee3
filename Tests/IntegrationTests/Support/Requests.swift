import TestSupport

/// Shorthands for the parts of requests.
enum Make {
    static func id(_ number: some BinaryInteger) -> JSON { ["number": .number(number)] }
    static func id(_ name: String) -> JSON { ["name": .text(name)] }

    static func vector(_ values: [Float], space: String = "") -> JSON {
        ["space": .text(space), "values": .all(values) { .number(Double($0)) }]
    }

    static func vector(bytes: [UInt8], space: String = "") -> JSON { ["space": .text(space), "data": .bytes(bytes)] }

    static func point(_ id: JSON, _ vectors: [JSON], payload: String = "") -> JSON {
        ["id": id, "vectors": .list(vectors), "payloadJson": .text(payload)]
    }

    static func point(_ number: Int, _ values: [Float], payload: String = "") -> JSON {
        point(id(number), [vector(values)], payload: payload)
    }

    static func space(
        _ name: String = "", dimension: Int, element: String = "FLOAT32", metric: String = "COSINE", index: String = "graph"
    ) -> JSON {
        [
            "name": .text(name), "dimension": .number(dimension), "elementType": .text("ELEMENT_TYPE_\(element)"),
            "metric": .text("METRIC_\(metric)"), "index": ["kind": .text(index)],
        ]
    }
}

extension Connection {
    @discardableResult
    func create(_ name: String, _ spaces: [JSON], shards: Int = 1, _ more: [String: JSON] = [:]) throws -> JSON {
        var collection: JSON = ["name": .text(name), "vectorSpaces": .list(spaces), "shardCount": .number(shards)]
        for (field, value) in more { collection[field] = value }
        return try call(.createCollection, ["collection": collection])
    }

    @discardableResult
    func upsert(_ collection: String, _ points: [JSON], _ more: [String: JSON] = [:]) throws -> JSON {
        var request: JSON = ["collection": .text(collection), "points": .list(points)]
        for (field, value) in more { request[field] = value }
        return try call(.upsert, request)
    }

    /// A search for a vector, with the request's other fields.
    func search(_ collection: String, _ vector: JSON, _ more: [String: JSON] = [:]) throws -> [JSON] {
        var request: JSON = ["collection": .text(collection), "query": ["vector": vector]]
        for (field, value) in more { request[field] = value }
        return try call(.search, request)["results"].list
    }

    /// One point with all its parts; nil where there is none.
    func point(_ collection: String, _ id: JSON) throws -> JSON? {
        let answer = try call(
            .get, ["collection": .text(collection), "ids": [id], "select": ["payload": true, "vectors": true]])
        return answer["points"].list.first
    }

    func count(_ collection: String) throws -> UInt64? {
        try call(.count, ["collection": .text(collection)])["count"].integer
    }

    func isServing() throws -> Bool { try call(.checkHealth, [:])["status"] == "SERVING" }
}
