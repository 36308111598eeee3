import Foundation
import KithCommands
package import KithCore

/// Drops whole segments whose records are all too old, and leaves an anchor: what the first kept segment follows. The last segment stays.
package struct JournalRetention {
    private let folder: JournalFolder
    private let key: [UInt8]?
    private let keepSeconds: Int64

    package init(_ path: String, key: [UInt8]?, keepSeconds: Int64) {
        folder = JournalFolder(path)
        self.key = key
        self.keepSeconds = keepSeconds
    }

    /// Answers how many segments were dropped.
    ///
    /// - Parameter now: seconds since 1970.
    package func run(now: Int64) throws(KithError) -> Int {
        guard let head: JournalHead = try JournalSeal.read(folder.head, key: key) else { return 0 }
        var anchor: JournalAnchor? = try JournalSeal.read(folder.anchor, key: key)
        let segments = try folder.segments()
        let first = anchor?.segment ?? 1
        // Left by a run that died after it had moved the anchor.
        for number in segments where number < first { try Files.remove(folder.segment(number)) }
        var old: [Int] = []
        for number in segments where number >= first && number < head.segment {
            guard let last = try last(of: number), last.record.recorded < now - keepSeconds else { break }
            anchor = JournalAnchor(segment: number + 1, n: last.record.n, hash: last.hash, dropped: now)
            old.append(number)
        }
        guard let anchor, !old.isEmpty else { return 0 }
        // The anchor first: a segment that it no longer needs may be there, one that it needs may not be gone.
        try JournalSeal.write(anchor, to: folder.anchor, key: key)
        for number in old { try Files.remove(folder.segment(number)) }
        return old.count
    }

    private func last(of number: Int) throws(KithError) -> (record: JournalRecord, hash: String)? {
        var text: ArraySlice<UInt8> = []
        try folder.lines(of: number) { line, _ in
            text = line
            return true
        }
        guard let (hash, json) = JournalLine.parts(text),
            let record = try? JSONDecoder().decode(JournalRecord.self, from: Data(json))
        else {
            throw KithError(
                .dataLoss, .corruption, "\(folder.segment(number)) does not end with a record: verify the journal",
                metadata: ["path": folder.segment(number)])
        }
        return (record, hash)
    }
}
