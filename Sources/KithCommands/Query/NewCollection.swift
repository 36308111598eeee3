import Foundation
import KithAPI
import KithCore

/// A collection to be made, as `CreateCollectionRequest` has it in JSON.
struct NewCollection: Encodable, Sendable {
    struct Index: Encodable, Sendable {
        var kind: String
        var parameters: [String: String] = [:]

        init(kind: String) { self.kind = kind }

        /// Nil where the options say nothing of it.
        init?(_ arguments: Arguments) throws(KithError) {
            for text in arguments.all("index-parameter") {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else {
                    throw .usage("--index-parameter is '\(text)', not key=value", key: "index-parameter")
                }
                parameters[parts[0]] = parts[1]
            }
            guard let kind = arguments.value("index") ?? (parameters.isEmpty ? nil : IndexDefinition.defaultKind) else {
                return nil
            }
            self.kind = kind
        }
    }

    struct Model: Encodable, Sendable {
        var id: String
    }

    struct Space: Encodable, Sendable {
        var name = ""
        var dimension: Int
        var elementType: String
        var metric: String?
        var index: Index?
        var model: Model?
    }

    var name: String
    var description = ""
    var shardCount = 0
    var vectorSpaces: [Space]
    var memoryBudgetBytes = 0

    /// The options that describe the one vector space of a new collection.
    static let options = [
        Option(name: "element", value: "TYPE", help: "f32, f16, bf16, int8, uint8 or binary (f32)"),
        Option(name: "metric", value: "METRIC", help: "cosine, dot, l2, l1, hamming or jaccard (cosine; hamming for binary)"),
        Option(name: "space", value: "NAME", help: "name of the vector space (none)"),
        Option(
            name: "index", value: "KIND",
            help: "graph, disk_graph, flat, ivf_flat, or ivf_ and rabitq, pq, opq, scalar or binary (graph)"),
        Option(
            name: "index-parameter", value: "KEY=VALUE", help: "such as degree=48; may be repeated", isRepeated: true),
        Option(name: "model", value: "ID", help: "the model that makes the vectors"),
        Option(name: "memory-budget", value: "BYTES", help: "memory for its index and vectors; 0: any number (0)"),
        Option(name: "shards", value: "N", help: "1 to 64 (1)"),
        Option(name: "description", value: "TEXT", help: "for people"),
    ]

    static let elements: [(word: String, value: ElementType)] = [
        ("f32", .float32), ("f16", .float16), ("bf16", .bfloat16), ("int8", .int8), ("uint8", .uint8), ("binary", .binary),
        ("float32", .float32), ("float16", .float16), ("bfloat16", .bfloat16),
    ]

    /// - Parameters:
    ///   - dimension: nil makes a collection without vectors.
    ///   - element: where the options name none.
    init(_ name: String, _ arguments: Arguments, dimension: Int?, element: ElementType = .float32) throws(KithError) {
        self.name = name
        description = arguments.value("description") ?? ""
        shardCount = try arguments.number("shards", 1...Limits.shards) ?? 0
        memoryBudgetBytes = try arguments.number("memory-budget", 0...Limits.memoryBudgetBytes) ?? 0
        guard let dimension else {
            vectorSpaces = []
            return
        }
        let metric = try arguments.choice("metric", Metric.allCases.map { ("\($0)", $0) })
        var space = Space(
            name: arguments.value("space") ?? "", dimension: dimension,
            elementType: (try arguments.choice("element", NewCollection.elements) ?? element).wireName)
        space.metric = metric?.wireName
        space.model = arguments.value("model").map(Model.init)
        space.index = try Index(arguments)
        vectorSpaces = [space]
    }

    func create(_ client: KithClient) throws(KithError) {
        let _: CollectionSummary = try client.call("/kith.v1.CollectionService/CreateCollection", ["collection": self])
    }
}
