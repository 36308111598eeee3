import Foundation
import KithCommands
package import KithCore

/// Appends to a journal. One process at a time.
package final class JournalWriter {
    private let folder: JournalFolder
    private let lock: FolderLock
    private let key: [UInt8]?
    private let segmentBytes: Int
    /// As it is on disk.
    package private(set) var head: JournalHead
    private var next: JournalHead
    private var file: AppendFile
    private var waiting: [UInt8] = []
    private var hash: [UInt8]

    /// Takes the journal over: what was written without its head goes.
    ///
    /// - Parameters:
    ///   - key: seals head and anchor.
    ///   - segmentBytes: past this a segment is finished.
    package init(_ path: String, key: [UInt8]?, segmentBytes: Int) throws(KithError) {
        try DurableFiles.makeFolder(path)
        folder = JournalFolder(path)
        lock = try FolderLock(path)
        self.key = key
        self.segmentBytes = segmentBytes
        let stored: JournalHead? = try JournalSeal.read(folder.head, key: key)
        let segments = try folder.segments()
        if stored == nil, segments.contains(where: { $0 > 1 }) {
            throw KithError(.dataLoss, .corruption, "\(path) has segments, and its head.json is gone", metadata: ["path": path])
        }
        let head = stored ?? JournalHead()
        self.head = head
        next = head
        hash = Hexadecimal.bytes(head.hash)
        // Segments that were begun and never counted.
        for number in segments where number > head.segment { try Files.remove(folder.segment(number)) }
        file = try AppendFile(folder.segment(head.segment))
        guard file.size >= head.bytes else {
            throw KithError(
                .dataLoss, .corruption, "\(file.path) has \(file.size) bytes, and \(head.bytes) were written",
                metadata: ["path": file.path])
        }
        if file.size > head.bytes { try file.truncate(to: head.bytes) }
    }

    /// Adds a record, which gets its number here; it counts after `commit`.
    package func add(_ record: JournalRecord) throws(KithError) {
        var numbered = record
        numbered.n = next.n + 1
        let (line, hash) = JournalLine.bytes(try numbered.json(), after: self.hash)
        waiting += line
        self.hash = hash
        next.n = numbered.n
        next.hash = Digest.hex(hash)
    }

    /// Notes how far a partition was followed.
    package func follow(_ place: TopicPartition, to offset: Int64) { next.offsets["\(place)"] = offset }

    /// Whether an event of this source, so placed, was written before. Notes it where it was not.
    package func isKnown(_ source: String, _ order: EventOrder) -> Bool {
        if let last = next.sources[source], order <= last { return true }
        if next.sources[source] != nil || next.sources.count < Limits.journalSources { next.sources[source] = order }
        return false
    }

    /// Makes what was added durable, with the offsets.
    package func commit() throws(KithError) {
        if file.size > 0, file.size + waiting.count > segmentBytes {
            next.segment += 1
            file = try AppendFile(folder.segment(next.segment))
            try file.truncate(to: 0)
            try DurableFiles.syncFolder(of: file.path)
        }
        try file.append(waiting)
        try file.sync()
        next.bytes = file.size
        try JournalSeal.write(next, to: folder.head, key: key)
        waiting = []
        head = next
    }
}

/// Bytes as pairs of digits.
enum Hexadecimal {
    /// Digits of anything else count as 0: what they say is checked by its hash.
    static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { place in
            UInt8(String(decoding: digits[place...place + 1], as: UTF8.self), radix: 16) ?? 0
        }
    }
}
