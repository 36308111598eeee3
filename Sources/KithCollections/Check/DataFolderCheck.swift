import Glibc
public import KithCore
public import KithIndex
import KithStorage
import KithTelemetry

/// Reads everything in the data folder of a server that is not running, and tells what is damaged. Changes nothing.
public struct DataFolderCheck: Sendable {
    private let directory: String
    private let registry: IndexRegistry

    public init(_ directory: String, registry: IndexRegistry = .builtIn) {
        self.directory = directory
        self.registry = registry
    }

    /// - Throws: `STORAGE_FAILURE`, with code `failedPrecondition` where a server runs on the folder, `notFound` where it holds no
    ///   data. Damage is no error but part of the report.
    /// - Complexity: O(bytes of the folder).
    public func run() throws(KithError) -> CheckReport {
        var report = CheckReport()
        guard let database = try openStore(&report) else { return report }
        let isReadable: Void? = report.attempt("store") { report throws(KithError) in
            try database.verifyChecksums()
            report.found("store", "checksums of all tables hold")
        }
        let definitions = report.attempt("catalogue") { report throws(KithError) in try catalogue(database, &report) }
        // What cannot be read is not looked at row by row.
        guard isReadable != nil, let definitions else { return report }
        for definition in definitions {
            for number in 0..<definition.shardCount {
                let id = ShardID(collection: definition.id, shard: UInt16(number))
                let recovery = ShardRecovery(
                    id: id, directory: "\(collections)/\(definition.id)/\(number)", definition: definition, database: database,
                    registry: registry, metrics: Metrics(), isMemoryLimited: false)
                ShardCheck(recovery, place: "\(definition.name)/\(number)").run(&report)
            }
        }
        return report
    }

    private var collections: String { "\(directory)/collections" }

    private func openStore(_ report: inout CheckReport) throws(KithError) -> Database? {
        var options = Database.Options()
        options.isReadOnly = true
        do throws(KithError) { return try Database(path: "\(directory)/store", options: options) } catch {
            if error.code == .failedPrecondition || error.code == .notFound { throw error }
            report.problem("store", error.message)
            return nil
        }
    }

    /// Definitions and aliases fit each other, and the folders.
    private func catalogue(_ database: Database, _ report: inout CheckReport) throws(KithError) -> [CollectionDefinition] {
        let store = CatalogueReader(database: database)
        let definitions = try store.definitions()
        let ids = Set(definitions.map(\.id))
        let aliases = try store.aliases()
        for (alias, id) in aliases.sorted(by: { $0.key < $1.key }) where !ids.contains(id) {
            report.problem("catalogue", "the alias '\(alias)' stands for the collection \(id), which does not exist")
        }
        let nextID = try store.nextID()
        if let last = ids.max(), last >= nextID {
            report.problem("catalogue", "the next collection would be \(nextID), and there is \(last) already")
        }
        if access(collections, F_OK) == 0 {
            for name in try Directory.names(in: collections) where UInt32(name).map(ids.contains) != true {
                report.found("catalogue", "the folder collections/\(name) belongs to no collection: the next start removes it")
            }
        }
        report.found("catalogue", "\(definitions.count) collections, \(aliases.count) aliases")
        return definitions
    }

    // MARK: Repair

    /// Removes derived files that are damaged, opens the folder as a server does, and lets it make them again.
    ///
    /// - Parameter progress: told now and then how many vectors still wait to be linked.
    /// - Throws: when the folder does not open: then more is damaged than what is derived.
    public func repair(_ report: CheckReport, progress: (Int) -> Void = { _ in }) throws(KithError) {
        for path in Set(report.problems.compactMap(\.derivedFile)).sorted() {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw KithError(.internal, .storageFailure, "cannot remove \(path): \(String(cString: strerror(errno)))")
            }
        }
        var configuration = Node.Configuration(dataDirectory: directory)
        configuration.registry = registry
        let node = try Node(configuration)
        while case let waiting = node.catalogue.all.reduce(0, { $0 + $1.shards.reduce(0) { $0 + $1.tail } }), waiting > 0 {
            progress(waiting)
            usleep(100_000)
        }
        node.close()
    }
}
