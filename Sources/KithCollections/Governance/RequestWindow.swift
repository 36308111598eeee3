import KithCore
import KithStorage

/// The last requests that decided something, by their ids: one that comes again is not done again.
struct RequestWindow {
    private struct Entry: Codable {
        var number: UInt64
        var id: String
        /// What it did to what.
        var what: String
    }

    private var entries: [String: Entry] = [:]
    /// Ids from the oldest on.
    private var order: [String] = []
    private var next: UInt64 = 1

    init(_ store: GovernanceStore) throws(KithError) {
        for entry in try store.rows(.request, as: Entry.self).sorted(by: { $0.number < $1.number }) {
            entries[entry.id] = entry
            order.append(entry.id)
            next = entry.number + 1
        }
    }

    /// Whether a request was done before.
    ///
    /// - Throws: `INVALID_VALUE` where it was another one.
    func isDone(_ request: GovernanceRequest, _ what: String) throws(KithError) -> Bool {
        guard request.id.utf8.count <= Limits.requestIDBytes else {
            throw .limit(field: "request_id", value: request.id.utf8.count, limit: Limits.requestIDBytes, unit: "bytes")
        }
        guard let entry = entries[request.id] else { return false }
        guard entry.what == what else {
            throw .invalid(
                .invalidValue, field: "request_id", "was used before, for another request", metadata: ["request_id": request.id])
        }
        return true
    }

    /// Notes a request in the batch that does it, and forgets the oldest. The window counts once the batch is written.
    func noting(
        _ request: GovernanceRequest, _ what: String, _ store: GovernanceStore, into batch: WriteBatch
    ) throws(KithError) -> RequestWindow {
        guard !request.id.isEmpty else { return self }
        var window = self
        let entry = Entry(number: next, id: request.id, what: what)
        window.next += 1
        window.entries[entry.id] = entry
        window.order.append(entry.id)
        try store.put(entry, .request, key: Array(entry.id.utf8), into: batch)
        if window.order.count > Limits.governanceRequests {
            let oldest = window.order.removeFirst()
            window.entries[oldest] = nil
            try store.put(nil as Entry?, .request, key: Array(oldest.utf8), into: batch)
        }
        return window
    }
}
