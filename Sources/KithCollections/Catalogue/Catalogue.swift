import Foundation
public import KithCore
import KithIndex
import KithStorage
import KithTelemetry
import Synchronization

private let catalogueLog = Log("catalogue")

/// One change of an alias.
public enum AliasAction: Sendable {
    case assign(alias: String, collection: String)
    case remove(alias: String)
}

/// All collections of a node, by name and alias. Changes come one after another; lookups never wait for them.
public final class Catalogue: Sendable {
    struct Entries {
        var collections: [String: Collection] = [:]
        /// Collection ids by alias.
        var aliases: [String: UInt32] = [:]
        /// Names by collection id.
        var names: [UInt32: String] = [:]

        mutating func add(_ definition: CollectionDefinition, _ collection: Collection) {
            collections[definition.name] = collection
            names[definition.id] = definition.name
        }
    }

    private let entries = Mutex(Entries())
    /// Held over a change, its writing and its folders.
    private let changing = NSLock()
    private let store: CatalogueStore
    private let check: DefinitionCheck
    private let opener: CollectionOpener
    private let observer: any CatalogueObserver
    private let governance: Governance

    init(
        store: CatalogueStore, registry: IndexRegistry, opener: CollectionOpener, observer: any CatalogueObserver,
        governance: Governance
    ) throws(KithError) {
        self.store = store
        check = DefinitionCheck(registry: registry)
        self.opener = opener
        self.observer = observer
        self.governance = governance
        let definitions = try store.reader.definitions()
        try opener.removeStrays(keeping: Set(definitions.map(\.id)))
        for definition in definitions {
            let collection = try opener.open(definition, holds: governance.standingHolds(on: definition.id))
            entries.withLock { $0.add(definition, collection) }
        }
        let aliases = try store.reader.aliases()
        entries.withLock { $0.aliases = aliases }
        for collection in all { observer.opened(collection) }
    }

    // MARK: Lookups

    /// Every collection, in order of name.
    public var all: [Collection] {
        entries.withLock { Array($0.collections.values) }.sorted { $0.definition.name < $1.definition.name }
    }

    /// By name or alias.
    ///
    /// - Throws: `COLLECTION_NOT_FOUND`, about `field`.
    public func collection(_ name: String, field: String = "collection") throws(KithError) -> Collection {
        if name.isEmpty { throw .invalid(.requiredFieldMissing, field: field, "must name a collection") }
        let found = entries.withLock { entries -> Collection? in
            if let found = entries.collections[name] { return found }
            return entries.aliases[name].flatMap { entries.names[$0] }.flatMap { entries.collections[$0] }
        }
        guard let found else { throw Catalogue.missing(name, field: field) }
        return found
    }

    /// Names that stand for a collection, in order.
    public func aliases(of collection: UInt32) -> [String] {
        entries.withLock { $0.aliases.filter { $0.value == collection }.keys.sorted() }
    }

    private static func missing(_ name: String, field: String) -> KithError {
        KithError(
            .notFound, .collectionNotFound, "\(field): there is no collection '\(name)'",
            metadata: ["collection": String(name.prefix(Limits.nameBytes))],
            violations: [.init(field: field, description: "there is no collection '\(name.prefix(Limits.nameBytes))'")])
    }

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    // MARK: Changes

    /// Makes a collection; `validateOnly` stops before anything is made. Answers its definition.
    ///
    /// - Parameter context: the request, as a serialised `kith.v1.RequestContext`; kept in the node's log, here and below.
    public func create(
        _ wanted: CollectionDefinition, validateOnly: Bool = false, context: OwnedBytes? = nil
    ) throws(KithError) -> CollectionDefinition {
        try check.check(wanted)
        changing.lock()
        defer { changing.unlock() }
        try refuseTaken(wanted.name)
        var definition = wanted
        definition.id = try store.reader.nextID()
        definition.revision = 1
        definition.createdAt = Catalogue.now()
        definition.updatedAt = definition.createdAt
        Catalogue.makeKey(&definition.events)
        if validateOnly { return definition }
        do throws(KithError) {
            let collection = try opener.open(definition)
            let changes = CatalogueChange.creation(of: definition)
            do throws(KithError) {
                try store.put(
                    definition, nextID: definition.id + 1, CatalogueCommit(changes, context: context, at: definition.createdAt))
            } catch {
                opener.close(collection, checkpointing: false)
                throw error
            }
            entries.withLock { $0.add(definition, collection) }
            observer.opened(collection)
        } catch {
            // The id is given to the next collection: nothing of this one may be in its way.
            do throws(KithError) { try opener.remove(definition.id) } catch {
                catalogueLog.error("a half-made collection could not be removed", ["error": "\(error)"])
            }
            throw error
        }
        return definition
    }

    /// Hashes are keyed with a secret of the collection: who has events only cannot try values out.
    private static func makeKey(_ events: inout EventStreams) {
        guard events.redactionKey.isEmpty, events.redactions.contains(where: { $0.action == .hash }) else { return }
        var random = SystemRandomNumberGenerator()
        events.redactionKey = (0..<4).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private func refuseTaken(_ name: String) throws(KithError) {
        let (taken, count) = entries.withLock {
            ($0.collections[name] != nil || $0.aliases[name] != nil, $0.collections.count)
        }
        if taken {
            throw KithError(
                .alreadyExists, .collectionExists, "collection.name: '\(name)' is taken", metadata: ["collection": name],
                violations: [.init(field: "collection.name", description: "'\(name)' is taken")])
        }
        if count >= Limits.collections {
            throw KithError(
                .resourceExhausted, .limitExceeded, "there are \(count) collections, the limit is \(Limits.collections)",
                metadata: ["value": "\(count)", "limit": "\(Limits.collections)"])
        }
    }

    /// Changes a definition by `change`, which sees it as it is; shards and spaces must stay, but for the spaces' indexes: another index is made in the
    /// background, and the one there is serves until then.
    public func update(
        _ name: String, etag: String, context: OwnedBytes? = nil,
        _ change: (inout CollectionDefinition) throws(KithError) -> Void
    ) throws(KithError) -> CollectionDefinition {
        changing.lock()
        defer { changing.unlock() }
        let collection = try collection(name, field: "collection.name")
        return try update(collection, etag: etag, context: context, change)
    }

    /// Holds the work on a collection's indexes, or lets it go on; where that is so already, nothing changes.
    ///
    /// - Parameter name: a name or alias.
    public func setMaintenancePaused(
        _ isPaused: Bool, of name: String, context: OwnedBytes? = nil
    ) throws(KithError) -> CollectionDefinition {
        changing.lock()
        defer { changing.unlock() }
        let collection = try collection(name)
        if collection.definition.isMaintenancePaused == isPaused { return collection.definition }
        return try update(collection, context: context) { $0.isMaintenancePaused = isPaused }
    }

    /// The same, while no other change is made.
    private func update(
        _ collection: Collection, etag: String = "", context: OwnedBytes?,
        _ change: (inout CollectionDefinition) throws(KithError) -> Void
    ) throws(KithError) -> CollectionDefinition {
        var definition = collection.definition
        try Catalogue.checkETag(etag, definition)
        try change(&definition)
        try DefinitionCheck.checkKept(collection.definition, in: definition)
        try check.checkIndexes(of: definition, insteadOf: collection.definition)
        try check.checkMutable(definition)
        Catalogue.makeKey(&definition.events)
        definition.revision += 1
        definition.updatedAt = Catalogue.now()
        let told = CatalogueChange.update(of: collection.definition, to: definition)
        try store.put(definition, CatalogueCommit(told, context: context, at: definition.updatedAt))
        collection.update(definition)
        observer.altered(collection)
        return definition
    }

    /// Deletes a collection with its points, aliases and unpublished changes.
    public func delete(_ name: String, etag: String, context: OwnedBytes? = nil) throws(KithError) {
        changing.lock()
        defer { changing.unlock() }
        guard let collection = entries.withLock({ $0.collections[name] }) else {
            throw Catalogue.missing(name, field: "name")
        }
        let definition = collection.definition
        try Catalogue.checkETag(etag, definition)
        try governance.deleting(definition) { () throws(KithError) in try delete(collection, definition, context) }
    }

    private func delete(
        _ collection: Collection, _ definition: CollectionDefinition, _ context: OwnedBytes?
    ) throws(KithError) {
        let name = definition.name
        let aliases = aliases(of: definition.id)
        entries.withLock {
            $0.collections[name] = nil
            $0.names[definition.id] = nil
            for alias in aliases { $0.aliases[alias] = nil }
        }
        observer.closing(collection)
        opener.close(collection, checkpointing: false)
        let changes = CatalogueChange.deletion(of: definition, aliases: aliases)
        try store.remove(
            definition.id, aliases: aliases, CatalogueCommit(changes, context: context, at: Catalogue.now()))
        try opener.remove(definition.id)
    }

    private static func checkETag(_ etag: String, _ definition: CollectionDefinition) throws(KithError) {
        guard etag.isEmpty || etag == definition.etag else {
            throw KithError(
                .aborted, .etagMismatch, "etag: is '\(etag)', the collection's is '\(definition.etag)'",
                metadata: ["etag": String(etag.prefix(64)), "current": definition.etag],
                violations: [.init(field: "etag", description: "the collection's is '\(definition.etag)'")])
        }
    }

    /// Applies all actions or none.
    public func updateAliases(_ actions: [AliasAction], context: OwnedBytes? = nil) throws(KithError) {
        changing.lock()
        defer { changing.unlock() }
        let before = entries.withLock { $0 }
        var changes: [String: UInt32?] = [:]
        for (number, action) in actions.enumerated() {
            let field = "actions[\(number)]"
            switch action {
            case .assign(let alias, let name):
                try DefinitionCheck.checkName(alias, field: "\(field).assign.alias")
                guard before.collections[alias] == nil else {
                    throw KithError(
                        .alreadyExists, .collectionExists, "\(field).assign.alias: '\(alias)' is a collection",
                        metadata: ["alias": alias],
                        violations: [.init(field: "\(field).assign.alias", description: "'\(alias)' is a collection")])
                }
                guard let collection = before.collections[name] else {
                    throw Catalogue.missing(name, field: "\(field).assign.collection")
                }
                changes[alias] = .some(collection.definition.id)
            case .remove(let alias):
                guard (changes[alias] ?? before.aliases[alias]) != nil else {
                    throw KithError(
                        .notFound, .aliasNotFound, "\(field).remove.alias: there is no alias '\(alias)'",
                        metadata: ["alias": String(alias.prefix(Limits.nameBytes))],
                        violations: [.init(field: "\(field).remove.alias", description: "there is no such alias")])
                }
                changes[alias] = .some(nil)
            }
        }
        var after = before.aliases
        for (alias, id) in changes { after[alias] = id }
        guard after.count <= Limits.aliases else {
            throw .limit(field: "actions", value: after.count, limit: Limits.aliases, unit: "aliases")
        }
        let told = Catalogue.changes(of: changes, before)
        try store.put(aliases: changes, CatalogueCommit(told, context: context, at: Catalogue.now()))
        let aliases = after
        entries.withLock { $0.aliases = aliases }
    }

    /// What aliases stood for before, and will.
    private static func changes(of aliases: [String: UInt32?], _ before: Entries) -> [CatalogueChange] {
        func collection(_ id: UInt32?) -> CollectionDefinition? {
            id.flatMap { before.names[$0] }.flatMap { before.collections[$0] }?.definition
        }
        return aliases.sorted { $0.key < $1.key }.compactMap { alias, id in
            let (old, new) = (collection(before.aliases[alias]), collection(id))
            guard old?.id != new?.id, let about = new ?? old else { return nil }
            return CatalogueChange(
                before: old.map { .alias(alias, collection: $0) }, after: new.map { .alias(alias, collection: $0) },
                collection: about)
        }
    }

    /// Stops all writers, linking and checkpointing what is due. Blocks.
    func closeAll() {
        for collection in all {
            observer.closing(collection)
            opener.close(collection)
        }
    }
}

/// Told of collections coming and going, such as the relay to Kafka.
public protocol CatalogueObserver: Sendable {
    func opened(_ collection: Collection)
    /// Its definition was changed.
    func altered(_ collection: Collection)
    /// Called before a collection's shards close.
    func closing(_ collection: Collection)
}

extension CollectionDefinition {
    /// Changes with every revision.
    public var etag: String { "\(id)-\(revision)" }
}
