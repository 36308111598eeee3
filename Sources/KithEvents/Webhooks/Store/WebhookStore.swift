import Foundation
import KithCore
import KithStorage

/// Webhooks as rows of their column family: JSON, for people may want to read them.
///
/// Keys: `w` name, a definition; `n`, the next id; `d` webhook (4), event id, a dead letter; `q` likewise, one that waits for redelivery;
/// `l` webhook (4), number (8), an entry of the delivery log. Numbers are big-endian.
struct WebhookStore: Sendable {
    enum Letters: UInt8, Sendable {
        case dead = 0x64
        case queued = 0x71
    }

    private static let definitionPrefix = UInt8(ascii: "w")
    private static let deliveryPrefix = UInt8(ascii: "l")
    private static let nextIDKey = [UInt8(ascii: "n")]

    let database: Database

    // MARK: Definitions, always synced

    func webhooks() throws(KithError) -> [Webhook] {
        var found: [Webhook] = []
        let prefix = WebhookStore.definitionPrefix
        let rows = try database.iterator(.webhooks, from: [prefix], below: [prefix + 1])
        while rows.isValid {
            found.append(try decoded(Webhook.self, rows.value, "a webhook"))
            try rows.next()
        }
        return found
    }

    func nextID() throws(KithError) -> UInt32 {
        guard let row = try database.get(.webhooks, WebhookStore.nextIDKey) else { return 1 }
        guard row.count == 4 else { throw KithError(.dataLoss, .corruption, "the next webhook id has \(row.count) bytes") }
        return row.withUnsafeBytes { $0.littleEndian(at: 0) }
    }

    func put(_ webhook: Webhook, nextID: UInt32? = nil) throws(KithError) {
        let batch = database.makeBatch()
        batch.put(.webhooks, key: definitionKey(webhook.name), value: try encoded(webhook))
        if let nextID {
            var value: [UInt8] = []
            value.appendLittleEndian(nextID)
            batch.put(.webhooks, key: WebhookStore.nextIDKey, value: value)
        }
        try database.write(batch, sync: true)
    }

    /// Forgets a webhook with its dead letters and its delivery log.
    func remove(_ webhook: Webhook) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.webhooks, key: definitionKey(webhook.name))
        for prefix in [Letters.dead.rawValue, Letters.queued.rawValue, WebhookStore.deliveryPrefix] {
            let bounds = bounds(prefix, webhook.id)
            batch.deleteRange(.webhooks, from: bounds.from, below: bounds.below)
        }
        try database.write(batch, sync: true)
    }

    // MARK: Dead letters, synced: the cursor moves past them

    /// The letters after an event id, in order of id.
    func letters(
        _ kind: Letters, of webhook: UInt32, after id: String = "", limit: Int = .max
    ) throws(KithError) -> [DeadLetter] {
        var found: [DeadLetter] = []
        let bounds = bounds(kind.rawValue, webhook)
        let first = id.isEmpty ? bounds.from : bounds.from + Array(id.utf8) + [0]
        let rows = try database.iterator(.webhooks, from: first, below: bounds.below)
        while rows.isValid, found.count < limit {
            found.append(try decoded(DeadLetter.self, rows.value, "a dead letter"))
            try rows.next()
        }
        return found
    }

    func put(_ letter: DeadLetter, of webhook: UInt32) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.webhooks, key: letterKey(.queued, webhook, letter.id))
        batch.put(.webhooks, key: letterKey(.dead, webhook, letter.id), value: try encoded(letter))
        try database.write(batch, sync: true)
    }

    /// Moves letters to those that wait for redelivery.
    func queue(_ letters: [DeadLetter], of webhook: UInt32) throws(KithError) {
        let batch = database.makeBatch()
        for letter in letters {
            batch.delete(.webhooks, key: letterKey(.dead, webhook, letter.id))
            batch.put(.webhooks, key: letterKey(.queued, webhook, letter.id), value: try encoded(letter))
        }
        try database.write(batch, sync: true)
    }

    func letter(_ kind: Letters, of webhook: UInt32, id: String) throws(KithError) -> DeadLetter? {
        guard let row = try database.get(.webhooks, letterKey(kind, webhook, id)) else { return nil }
        return try row.withBytes { (bytes) throws(KithError) in try decoded(DeadLetter.self, bytes, "a dead letter") }
    }

    /// A queued letter was delivered.
    func removeQueued(_ id: String, of webhook: UInt32) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.webhooks, key: letterKey(.queued, webhook, id))
        try database.write(batch, sync: true)
    }

    // MARK: The delivery log, not synced: a crash may cost its last lines

    /// One past the number of the newest entry.
    func nextDelivery(of webhook: UInt32) throws(KithError) -> UInt64 {
        let bounds = bounds(WebhookStore.deliveryPrefix, webhook)
        let rows = try database.iterator(.webhooks, from: bounds.from, below: bounds.below)
        try rows.seekToLast()
        return rows.isValid ? number(ofDeliveryKey: rows.key) + 1 : 0
    }

    /// Adds an entry, and forgets the one that is `Limits.webhookDeliveries` older.
    func append(_ record: DeliveryRecord, number: UInt64, of webhook: UInt32) throws(KithError) {
        let batch = database.makeBatch()
        batch.put(.webhooks, key: deliveryKey(webhook, number), value: try encoded(record))
        if let old = number.subtractingIfPossible(UInt64(Limits.webhookDeliveries)) {
            batch.delete(.webhooks, key: deliveryKey(webhook, old))
        }
        try database.write(batch, sync: false)
    }

    /// The newest first, from before a number on.
    func deliveries(
        of webhook: UInt32, before: UInt64 = .max, limit: Int
    ) throws(KithError) -> [(number: UInt64, record: DeliveryRecord)] {
        var found: [(number: UInt64, record: DeliveryRecord)] = []
        let bounds = bounds(WebhookStore.deliveryPrefix, webhook)
        let end = before == .max ? bounds.below : deliveryKey(webhook, before)
        let rows = try database.iterator(.webhooks, from: bounds.from, below: end)
        try rows.seekToLast()
        while rows.isValid, found.count < limit {
            let record = try decoded(DeliveryRecord.self, rows.value, "an entry of a delivery log")
            found.append((number(ofDeliveryKey: rows.key), record))
            try rows.previous()
        }
        return found
    }

    // MARK: Keys and values

    private func definitionKey(_ name: String) -> [UInt8] { [WebhookStore.definitionPrefix] + Array(name.utf8) }

    private func letterKey(_ kind: Letters, _ webhook: UInt32, _ id: String) -> [UInt8] {
        bounds(kind.rawValue, webhook).from + Array(id.utf8)
    }

    private func deliveryKey(_ webhook: UInt32, _ number: UInt64) -> [UInt8] {
        var key = bounds(WebhookStore.deliveryPrefix, webhook).from
        key.appendBigEndian(number)
        return key
    }

    private func number(ofDeliveryKey key: UnsafeRawBufferPointer) -> UInt64 { key.count == 13 ? key.bigEndian(at: 5) : 0 }

    private func bounds(_ prefix: UInt8, _ webhook: UInt32) -> (from: [UInt8], below: [UInt8]) {
        var from = [prefix]
        from.appendBigEndian(webhook)
        var below = [prefix]
        below.appendBigEndian(webhook + 1)
        return (from, below)
    }

    private func encoded(_ value: some Encodable) throws(KithError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do { return Array(try encoder.encode(value)) } catch {
            throw KithError(.internal, .storageFailure, "a row of webhooks cannot be encoded: \(error)")
        }
    }

    private func decoded<Value: Decodable>(
        _ type: Value.Type, _ bytes: UnsafeRawBufferPointer, _ what: String
    ) throws(KithError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw KithError(.dataLoss, .corruption, "\(what) cannot be read: \(error)")
        }
    }
}

extension UInt64 {
    /// Nil below zero.
    fileprivate func subtractingIfPossible(_ other: UInt64) -> UInt64? { self >= other ? self - other : nil }
}
