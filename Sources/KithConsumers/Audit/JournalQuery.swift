import Foundation
package import KithCore

/// Which records of a journal are asked for; what is empty or nil asks for all.
package struct JournalQuery: Sendable {
    /// Exactly.
    package var actor = ""
    /// The resource, or what it begins with.
    package var resource = ""
    /// The operation, or what it begins with, such as `change`.
    package var operation = ""
    /// `succeeded`, `denied` or `failed`.
    package var outcome = ""
    /// The client's request id, exactly.
    package var request = ""
    /// RFC 3339 in UTC, or the beginning of it; from is included, to is not.
    package var from = ""
    package var to = ""
    /// Records to find before it ends.
    package var limit = Int.max

    package init() {}

    package func matches(_ record: JournalRecord) -> Bool {
        (actor.isEmpty || record.actor == actor) && record.resource.hasPrefix(resource) && record.operation.hasPrefix(operation)
            && (outcome.isEmpty || record.outcome == outcome) && (request.isEmpty || record.request == request)
            && (from.isEmpty || record.time >= from) && (to.isEmpty || record.time < to)
    }

    /// Visits the matching records in order. Answers how many there were.
    ///
    /// - Throws: `CORRUPTION` at a line that is no record.
    @discardableResult
    package func run(_ path: String, key: [UInt8]?, _ visit: (JournalRecord) throws(KithError) -> Void) throws(KithError) -> Int {
        let folder = JournalFolder(path)
        let anchor: JournalAnchor? = try JournalSeal.read(folder.anchor, key: key)
        guard let head: JournalHead = try JournalSeal.read(folder.head, key: key) else {
            throw KithError(.notFound, .storageFailure, "there is no journal in \(path)", metadata: ["path": path])
        }
        var found = 0
        for number in try folder.segments() where number >= anchor?.segment ?? 1 && number <= head.segment {
            try folder.lines(of: number, limit: number == head.segment ? head.bytes : nil) { line, place throws(KithError) in
                guard let (_, json) = JournalLine.parts(line),
                    let record = try? JSONDecoder().decode(JournalRecord.self, from: Data(json))
                else {
                    throw KithError(
                        .dataLoss, .corruption, "\(folder.segment(number)) line \(place) is no record: verify the journal",
                        metadata: ["path": folder.segment(number)])
                }
                guard matches(record) else { return true }
                try visit(record)
                found += 1
                return found < limit
            }
            if found >= limit { break }
        }
        return found
    }
}
