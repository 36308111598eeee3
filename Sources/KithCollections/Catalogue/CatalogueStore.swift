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

/// Writes definitions and aliases, always synced, together with what the node's log says of it.
struct CatalogueStore {
    let database: Database
    let log: NodeLog
    let describer: (any CatalogueDescriber)?

    var reader: CatalogueReader { CatalogueReader(database: database) }

    private func write(_ batch: WriteBatch, _ commit: CatalogueCommit) throws(KithError) {
        var facts: [Fact] = []
        if let describer {
            for change in commit.changes { facts.append(try describer.fact(change)) }
            for change in commit.changes {
                if let fact = try describer.lineage(change, at: commit.time) { facts.append(fact) }
            }
        }
        try log.commit(facts, time: commit.time, context: commit.context, with: batch)
    }

    func put(_ definition: CollectionDefinition, nextID: UInt32? = nil, _ commit: CatalogueCommit) throws(KithError) {
        let batch = database.makeBatch()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            batch.put(.catalogue, key: CatalogueReader.definitionKey(definition.id), value: Array(try encoder.encode(definition)))
        } catch {
            throw KithError(.internal, .storageFailure, "a definition cannot be encoded: \(error)")
        }
        if let nextID {
            var value: [UInt8] = []
            value.appendLittleEndian(nextID)
            batch.put(.meta, key: CatalogueReader.nextIDKey, value: value)
        }
        try write(batch, commit)
    }

    /// Forgets a collection with all its rows and aliases, in one batch.
    func remove(_ id: UInt32, aliases: [String], _ commit: CatalogueCommit) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.catalogue, key: CatalogueReader.definitionKey(id))
        for alias in aliases { batch.delete(.catalogue, key: CatalogueReader.aliasKey(alias)) }
        for rows in GovernanceStore.bounds(of: id) { batch.deleteRange(.catalogue, from: rows.from, below: rows.below) }
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
                batch.delete(.catalogue, key: CatalogueReader.aliasKey(alias))
                continue
            }
            var value: [UInt8] = []
            value.appendLittleEndian(id)
            batch.put(.catalogue, key: CatalogueReader.aliasKey(alias), value: value)
        }
        try write(batch, commit)
    }
}
