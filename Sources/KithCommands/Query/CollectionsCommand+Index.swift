import Foundation
import KithAPI
import KithCore

/// What `kith collections` does about indexes.
extension CollectionsCommand {
    private static let service = "/kith.v1.CollectionService"

    /// A `CollectionStats`, as far as it tells of indexes.
    private struct Figures: Decodable {
        struct Space: Decodable {
            var name: String
            var indexMaintenance: Maintenance
        }
        var vectorSpaces: [Space]
    }

    /// An `IndexMaintenance`.
    private struct Maintenance: Decodable {
        struct Index: Decodable {
            var kind: String
        }
        var state: String
        var reason: String
        var rowsDone: String
        var rowsTotal: String
        var startedAt: String?
        var serving: Index

        /// Such as `rebuilding (definition): 12,000 of 100,000 rows`.
        var text: String {
            let reason = startedAt == nil ? "" : " (\(word(reason)))"
            return "\(word(state))\(reason): \(CollectionsCommand.count(rowsDone)) of \(CollectionsCommand.count(rowsTotal)) rows"
        }

        /// An enum's value without its type.
        private func word(_ name: String) -> String { name.split(separator: "_").dropFirst().joined(separator: " ").lowercased() }
    }

    private struct Update: Encodable {
        struct Space: Encodable {
            var name: String
            var index: NewCollection.Index
        }
        struct Collection: Encodable {
            var name: String
            var vectorSpaces: [Space]
        }
        var collection: Collection
        var updateMask = "vectorSpaces"
    }

    static func changeIndex(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        guard let index = try NewCollection.Index(arguments) else {
            throw .usage("an index needs --index or --index-parameter", key: "index")
        }
        let space = Update.Space(name: arguments.value("space") ?? "", index: index)
        let _: CollectionSummary = try client.call(
            "\(service)/UpdateCollection", Update(collection: Update.Collection(name: name, vectorSpaces: [space])))
        Console.print("\(name) gets its index in the background; 'kith collections progress \(name)' shows how far it is")
    }

    static func rebuildIndex(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        let maintenance: Maintenance = try client.call(
            "\(service)/RebuildIndex", ["collection": name, "vectorSpace": arguments.value("space") ?? ""])
        Console.print("\(name): \(maintenance.text)")
    }

    static func pauseMaintenance(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        let _: CollectionSummary = try client.call("\(service)/PauseIndexMaintenance", ["collection": name])
        Console.print("paused \(name): only fresh vectors are linked")
    }

    static func resumeMaintenance(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let name = try name(arguments)
        let _: CollectionSummary = try client.call("\(service)/ResumeIndexMaintenance", ["collection": name])
        Console.print("resumed \(name)")
    }

    static func progress(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        let figures: Figures = try client.call("\(service)/GetCollectionStats", ["collection": try name(arguments)])
        var table = Table(header: ["VECTOR SPACE", "SERVING", "STATE"], rightAligned: [])
        for space in figures.vectorSpaces {
            table.rows.append([
                space.name.isEmpty ? "(unnamed)" : space.name, space.indexMaintenance.serving.kind, space.indexMaintenance.text,
            ])
        }
        table.printAll()
    }
}
