import Foundation
import KithCore
import KithStorage

/// Changes that are told together, in the commit of the node's log that makes them.
struct CatalogueCommit {
    var changes: [CatalogueChange]
    /// The request behind them.
    var context: OwnedBytes?
    /// Microseconds since 1970.
    var time: Int64

    init(_ changes: [CatalogueChange], context: OwnedBytes?, at time: Int64) {
        self.changes = changes
        self.context = context
        self.time = time
    }
}

/// Definitions and aliases as rows: JSON, for there are few and people may want to read them.
struct CatalogueStore {
    private static let definitionPrefix = UInt8(ascii: "d")
    private static let aliasPrefix = UInt8(ascii: "a")
    private static let nextIDKey = Array("next-collection-id".utf8)

    let database: Database
    let log: NodeLog
    let describer: (any CatalogueDescriber)?

    func definitions() throws(KithError) -> [CollectionDefinition] {
        var found: [CollectionDefinition] = []
        let rows = try rows(CatalogueStore.definitionPrefix)
        while rows.isValid {
            do {
                found.append(try JSONDecoder().decode(CollectionDefinition.self, from: Data(rows.value)))
            } catch {
                throw KithError(.dataLoss, .corruption, "a collection's definition cannot be read: \(error)")
            }
            try rows.next()
        }
        return found
    }

    /// Collection ids by alias.
    func aliases() throws(KithError) -> [String: UInt32] {
        var found: [String: UInt32] = [:]
        let rows = try rows(CatalogueStore.aliasPrefix)
        while rows.isValid {
            guard rows.value.count == 4 else {
                throw KithError(.dataLoss, .corruption, "an alias has \(rows.value.count) bytes")
            }
            found[String(decoding: rows.key.dropFirst(), as: UTF8.self)] = rows.value.littleEndian(at: 0)
            try rows.next()
        }
        return found
    }

    func nextID() throws(KithError) -> UInt32 {
        guard let row = try database.get(.meta, CatalogueStore.nextIDKey) else { return 1 }
        guard row.count == 4 else { throw KithError(.dataLoss, .corruption, "the next collection id has \(row.count) bytes") }
        return row.withUnsafeBytes { $0.littleEndian(at: 0) }
    }

    private func rows(_ prefix: UInt8) throws(KithError) -> RowIterator {
        try database.iterator(.catalogue, from: [prefix], below: [prefix + 1])
    }

    // MARK: Writing, always synced, together with what the node's log says of it

    private func write(_ batch: WriteBatch, _ commit: CatalogueCommit) throws(KithError) {
        var facts: [Fact] = []
        if let describer {
            for change in commit.changes { facts.append(try describer.fact(change)) }
        }
        try log.commit(facts, time: commit.time, context: commit.context, with: batch)
    }

    func put(_ definition: CollectionDefinition, nextID: UInt32? = nil, _ commit: CatalogueCommit) throws(KithError) {
        let batch = database.makeBatch()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            batch.put(.catalogue, key: definitionKey(definition.id), value: Array(try encoder.encode(definition)))
        } catch {
            throw KithError(.internal, .storageFailure, "a definition cannot be encoded: \(error)")
        }
        if let nextID {
            var value: [UInt8] = []
            value.appendLittleEndian(nextID)
            batch.put(.meta, key: CatalogueStore.nextIDKey, value: value)
        }
        try write(batch, commit)
    }

    /// Forgets a collection with all its rows and aliases, in one batch.
    func remove(_ id: UInt32, aliases: [String], _ commit: CatalogueCommit) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.catalogue, key: definitionKey(id))
        for alias in aliases { batch.delete(.catalogue, key: aliasKey(alias)) }
        let bounds = Keys.bounds(collection: id)
        for family in [ColumnFamily.meta, .points, .changes, .requests] {
            batch.deleteRange(family, from: bounds.from, below: bounds.below)
        }
        try write(batch, commit)
    }

    /// Sets aliases; nil removes one.
    func put(aliases: [String: UInt32?], _ commit: CatalogueCommit) throws(KithError) {
        let batch = database.makeBatch()
        for (alias, id) in aliases {
            guard let id else {
                batch.delete(.catalogue, key: aliasKey(alias))
                continue
            }
            var value: [UInt8] = []
            value.appendLittleEndian(id)
            batch.put(.catalogue, key: aliasKey(alias), value: value)
        }
        try write(batch, commit)
    }

    private func definitionKey(_ id: UInt32) -> [UInt8] {
        var key = [CatalogueStore.definitionPrefix]
        key.appendBigEndian(id)
        return key
    }

    private func aliasKey(_ alias: String) -> [UInt8] { [CatalogueStore.aliasPrefix] + Array(alias.utf8) }
}
