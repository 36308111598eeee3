import Foundation
import KithAPI
import KithCore

/// `kith collections`.
enum CollectionsCommand {
    static let description = CommandDescription(
        name: "collections", summary: "List, describe, create, change and delete collections", operands: ["[ACTION]", "[NAME]"],
        options: Connection.options
            + [
                Option(name: "json", value: nil, help: "answer in JSON"),
                Option(name: "dimension", value: "N", help: "create: components of a vector"),
            ] + NewCollection.options
            + [Option(name: "from-json", value: "FILE", help: "create: a kith.v1.Collection in JSON, in place of the options")],
        notes: [
            "Actions: list (the default), get NAME, stats NAME, create NAME, delete NAME; of indexes: index NAME (other kind or",
            "parameters), rebuild NAME (the same anew), pause NAME and resume NAME (the work on them), progress NAME.",
            "  kith collections create films --dimension 768 --element f16 --metric cosine",
            "  kith collections index films --index disk_graph --index-parameter codes=sq4",
        ]
    ) { arguments throws(KithError) in
        let action = arguments.operands.first ?? "list"
        guard let run = actions[action] else {
            throw .usage("'kith collections' has no action '\(action)', only \(actions.keys.sorted().joined(separator: ", "))")
        }
        try Connection.with(arguments) { client throws(KithError) in try run(client, arguments) }
        return ExitCode.success
    }

    private static let actions: [String: @Sendable (KithClient, Arguments) throws(KithError) -> Void] = [
        "list": list, "get": get, "stats": stats, "create": create, "delete": delete, "index": changeIndex,
        "rebuild": rebuildIndex, "pause": pauseMaintenance, "resume": resumeMaintenance, "progress": progress,
    ]

    static func name(_ arguments: Arguments) throws(KithError) -> String {
        guard arguments.operands.count == 2 else { throw .usage("the collection's name is missing", key: "NAME") }
        return arguments.operands[1]
    }

    private static func list(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let collections = try client.collections()
        if arguments.flag("json") {
            for collection in collections { try printJSON("GetCollection", ["name": collection.name], client) }
            return
        }
        var table = Table(header: ["NAME", "POINTS", "SHARDS", "VECTORS", "ALIASES"], rightAligned: [1, 2])
        for collection in collections {
            table.rows.append([
                collection.name, grouped(try client.count(collection.name)), "\(collection.shardCount)",
                collection.vectorSpaces.map(text).joined(separator: "; "), collection.aliases.joined(separator: ", "),
            ])
        }
        table.printAll()
    }

    private static func get(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        try printJSON("GetCollection", ["name": try name(arguments)], client)
    }

    private static func stats(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let request = ["collection": try name(arguments)]
        if arguments.flag("json") { return try printJSON("GetCollectionStats", request, client) }
        let stats: CollectionFigures = try client.call("/kith.v1.CollectionService/GetCollectionStats", request)
        Console.print("\(stats.collection): \(count(stats.points)) points")
        Console.print("")
        var spaces = Table(
            header: ["VECTOR SPACE", "VECTORS", "LINKED", "WAITING", "DEAD", "BYTES", "IN MEMORY", "MAPPED", "READ", "RECALL"],
            rightAligned: Set(1...9))
        for space in stats.vectorSpaces {
            spaces.rows.append(
                [space.name.isEmpty ? "(unnamed)" : space.name]
                    + [
                        space.vectors, space.linkedVectors, space.tailVectors, space.deadVectors, space.vectorBytes,
                        space.memoryBytes, space.mappedBytes, space.readBytes,
                    ].map(count) + [space.measuredRecall.map { String(format: "%.3f", $0.value) } ?? "-"])
        }
        spaces.printAll()
        Console.print("")
        var shards = Table(header: ["SHARD", "POINTS", "COMMITS", "FIRST KEPT", "LOG BYTES"], rightAligned: [0, 1, 2, 3, 4])
        for shard in stats.shards {
            shards.rows.append(
                ["\(shard.shard)"] + [shard.points, shard.position, shard.firstPosition, shard.changeLogBytes].map(count))
        }
        shards.printAll()
    }

    private static func create(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        if let path = arguments.value("from-json") {
            var object: [String: Any]
            do {
                object = try JSONSerialization.jsonObject(with: try Files.read(path)) as? [String: Any] ?? [:]
                object["name"] = name
                let request = try JSONSerialization.data(withJSONObject: ["collection": object])
                _ = try client.callJSON("/kith.v1.CollectionService/CreateCollection", request)
            } catch let error as KithError { throw error } catch {
                throw .usage("\(path) is not JSON: \(error.localizedDescription)", key: "from-json")
            }
        } else {
            let dimension = try arguments.number("dimension", 1...Limits.dimension)
            try NewCollection(name, arguments, dimension: dimension).create(client)
        }
        Console.print("created \(name)")
    }

    private static func delete(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        _ = try client.callJSON(
            "/kith.v1.CollectionService/DeleteCollection", Data("{\"name\":\(PointText.quoted(name))}".utf8))
        Console.print("deleted \(name)")
    }

    static func printJSON(_ method: String, _ request: [String: String], _ client: KithClient) throws(KithError) {
        do {
            let answer = try client.callJSON("/kith.v1.CollectionService/\(method)", try JSONEncoder().encode(request))
            Console.print(String(decoding: answer, as: UTF8.self))
        } catch let error as KithError { throw error } catch {
            throw KithError(.internal, .malformedMessage, "the request cannot be written: \(error)")
        }
    }

    /// Such as `384 x float32, cosine, graph`.
    private static func text(_ space: CollectionSummary.Space) -> String {
        let metric = space.metric.split(separator: "_").last?.lowercased() ?? ""
        let element = space.element.map { "\($0)" } ?? space.elementName
        return (space.name.isEmpty ? "" : "\(space.name): ") + "\(space.dimension) x \(element), \(metric), \(space.indexKind)"
    }

    /// 64-bit numbers are text in protobuf's JSON.
    static func count(_ text: String) -> String { UInt64(text).map { grouped($0) } ?? text }
}

/// A `CollectionStats`.
private struct CollectionFigures: Decodable {
    struct Space: Decodable {
        var name, vectors, deadVectors, linkedVectors, tailVectors, vectorBytes, memoryBytes, mappedBytes, readBytes: String
        var measuredRecall: MeasuredRecall?
    }
    struct MeasuredRecall: Decodable {
        var value: Double
    }
    struct Shard: Decodable {
        var shard: Int
        var points, position, firstPosition, changeLogBytes: String
    }
    var collection: String
    var points: String
    var vectorSpaces: [Space]
    var shards: [Shard]
}
