import KithCore

/// The dead letters of one webhook: how many there are, and which are on their way again.
struct LetterBox: Sendable {
    private let webhook: UInt32
    private(set) var dead = 0
    private(set) var bytes = 0
    private(set) var queued = 0

    init(_ webhook: UInt32, _ store: WebhookStore) throws(KithError) {
        self.webhook = webhook
        for letter in try store.letters(.dead, of: webhook) {
            dead += 1
            bytes += letter.bytes
        }
        queued = try store.letters(.queued, of: webhook).count
    }

    func hasRoom(for count: Int) -> Bool {
        dead + queued < Limits.webhookDeadLetters && bytes + count <= Limits.webhookDeadLetterBytes
    }

    mutating func add(_ letter: DeadLetter, _ store: WebhookStore) throws(KithError) {
        // After a crash the same event may be given up again: it takes its own place.
        let isNew = try store.letter(.dead, of: webhook, id: letter.id) == nil
        try store.put(letter, of: webhook)
        if isNew {
            dead += 1
            bytes += letter.bytes
        }
    }

    /// Queues letters for redelivery, all where `ids` is empty; answers how many.
    ///
    /// - Throws: `INVALID_VALUE` about an id that no dead letter has; none is queued then.
    mutating func queue(_ ids: [String], _ store: WebhookStore) throws(KithError) -> Int {
        var found: [DeadLetter] = []
        if ids.isEmpty {
            found = try store.letters(.dead, of: webhook, limit: Limits.webhookRedeliveries)
        } else {
            for (number, id) in Set(ids).sorted().enumerated() {
                guard let letter = try store.letter(.dead, of: webhook, id: id) else {
                    throw .invalid(.invalidValue, field: "ids[\(number)]", "'\(id)' is no dead letter of this webhook")
                }
                found.append(letter)
            }
        }
        try store.queue(found, of: webhook)
        dead -= found.count
        bytes -= found.reduce(0) { $0 + $1.bytes }
        queued += found.count
        return found.count
    }

    /// The next letter on its way again.
    func next(_ store: WebhookStore) -> DeadLetter? {
        guard queued > 0 else { return nil }
        // What cannot be read now is tried at the next turn; the store has logged why.
        return (try? store.letters(.queued, of: webhook, limit: 1))?.first
    }

    mutating func delivered(_ letter: DeadLetter, _ store: WebhookStore) throws(KithError) {
        try store.removeQueued(letter.id, of: webhook)
        queued -= 1
    }

    mutating func returned(_ letter: DeadLetter, _ store: WebhookStore) throws(KithError) {
        try store.put(letter, of: webhook)
        queued -= 1
        dead += 1
        bytes += letter.bytes
    }
}
