import Foundation
import KithCore
import KithStorage

/// Decisions as rows of the catalogue: JSON, for there are few and people may want to read them.
struct GovernanceStore {
    /// The first byte of a row's key.
    enum Kind: UInt8 {
        case classification = 0x63  // c
        case erasure = 0x65  // e
        case hold = 0x68  // h
        case model = 0x6D  // m
        case erasedPoints = 0x70  // p
        case request = 0x71  // q
        case sweep = 0x73  // s
        case retention = 0x74  // t
    }

    let database: Database
    let log: NodeLog
    let describer: (any GovernanceDescriber)?

    /// All rows of a kind, in order of their keys; only those whose keys begin with `prefix`, which does not end with 255.
    func rows<Row: Decodable>(
        _ kind: Kind, under prefix: [UInt8] = [], as type: Row.Type = Row.self
    ) throws(KithError) -> [Row] {
        var found: [Row] = []
        let lower = [kind.rawValue] + prefix
        let rows = try database.iterator(.catalogue, from: lower, below: lower.dropLast() + [lower[lower.count - 1] + 1])
        while rows.isValid {
            do { found.append(try JSONDecoder().decode(Row.self, from: Data(rows.value))) } catch {
                throw KithError(.dataLoss, .corruption, "a row of governance cannot be read: \(error)")
            }
            try rows.next()
        }
        return found
    }

    /// The bounds of the rows that go with a collection.
    static func bounds(of collection: UInt32) -> [(from: [UInt8], below: [UInt8])] {
        let bounds = Keys.bounds(collection: collection)
        return [Kind.classification, .sweep, .retention].map { ([$0.rawValue] + bounds.from, [$0.rawValue] + bounds.below) }
    }

    func makeBatch() -> WriteBatch { database.makeBatch() }

    /// Puts a row, or removes it where it is nil.
    func put<Row: Encodable>(_ row: Row?, _ kind: Kind, key: [UInt8], into batch: WriteBatch) throws(KithError) {
        let key = [kind.rawValue] + key
        guard let row else { return batch.delete(.catalogue, key: key) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { batch.put(.catalogue, key: key, value: Array(try encoder.encode(row))) } catch {
            throw KithError(.internal, .storageFailure, "a row of governance cannot be encoded: \(error)")
        }
    }

    /// Writes rows and what is told of them: both or neither, and synced when it returns.
    func write(
        _ batch: WriteBatch, telling events: [GovernanceEvent], for request: GovernanceRequest, at time: Int64
    ) throws(KithError) {
        var facts: [Fact] = []
        if let describer {
            for event in events { facts.append(try describer.fact(event)) }
        }
        try log.commit(facts, time: time, requestID: request.id, context: request.context, with: batch)
    }
}

extension Classification {
    /// Those of one collection lie together, and go together.
    var key: [UInt8] {
        var key: [UInt8] = []
        key.appendBigEndian(collectionID)
        return key + Array(field.utf8)
    }
}

extension EmbeddingModel {
    var key: [UInt8] { Array(reference.text.utf8) }
}
