import Foundation
import KithCore
import KithStorage

/// Definitions and aliases as rows: JSON, for there are few and people may want to read them.
struct CatalogueReader {
    private static let definitionPrefix = UInt8(ascii: "d")
    private static let aliasPrefix = UInt8(ascii: "a")
    static let nextIDKey = Array("next-collection-id".utf8)

    let database: Database

    func definitions() throws(KithError) -> [CollectionDefinition] {
        var found: [CollectionDefinition] = []
        let rows = try rows(CatalogueReader.definitionPrefix)
        while rows.isValid {
            do {
                let stored = try JSONDecoder().decode(CollectionDefinition.self, from: Data(rows.value))
                found.append(stored.withoutRetiredIndexes())
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
        let rows = try rows(CatalogueReader.aliasPrefix)
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
        guard let row = try database.get(.meta, CatalogueReader.nextIDKey) else { return 1 }
        guard row.count == 4 else { throw KithError(.dataLoss, .corruption, "the next collection id has \(row.count) bytes") }
        return row.withUnsafeBytes { $0.littleEndian(at: 0) }
    }

    private func rows(_ prefix: UInt8) throws(KithError) -> RowIterator {
        try database.iterator(.catalogue, from: [prefix], below: [prefix + 1])
    }

    // MARK: Keys

    static func definitionKey(_ id: UInt32) -> [UInt8] {
        var key = [CatalogueReader.definitionPrefix]
        key.appendBigEndian(id)
        return key
    }

    static func aliasKey(_ alias: String) -> [UInt8] { [CatalogueReader.aliasPrefix] + Array(alias.utf8) }
}
