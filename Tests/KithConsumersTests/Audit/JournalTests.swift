import Foundation
import KithConsumers
import KithCore
import TestSupport
import Testing

/// A journal that shows whatever is done to it.
@Suite struct JournalTests {
    private static let key = Array("a key of sixteen".utf8)

    private func record(_ number: Int, recorded: Int64 = 0, actor: String = "alice") -> JournalRecord {
        JournalRecord(
            n: 0, time: "2026-11-21T10:00:0\(number % 10).000000Z", event: "kith/1.0/\(number)/0", operation: "change.update",
            resource: "collections/docs/points/\(number)", actor: actor, client: "test/1", method: "m", outcome: "succeeded",
            request: "", source: "t[0]@\(number)", digest: "00", recorded: recorded)
    }

    /// A journal of `count` records in segments of a few.
    private func write(_ folder: String, _ count: Int, key: [UInt8]? = nil, from first: Int = 1) throws {
        let writer = try JournalWriter(folder, key: key, segmentBytes: 1_500)
        for number in first..<first + count {
            try writer.add(record(number, recorded: Int64(number)))
            if number % 3 == 0 { try writer.commit() }
        }
        try writer.commit()
    }

    private func findings(_ folder: String, key: [UInt8]? = nil) throws -> [String] {
        try JournalVerifier(folder, key: key).run().findings.map(\.description)
    }

    @Test func whatWasWrittenIsWhole() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 20)
        try write(folder.path, 10, from: 21)
        let report = try JournalVerifier(folder.path, key: nil).run()
        #expect(report.findings.isEmpty && report.records == 30 && report.segments > 3)
        var numbers: [UInt64] = []
        try JournalQuery().run(folder.path, key: nil) { numbers.append($0.n) }
        #expect(numbers == Array(1...30))
    }

    @Test func everyChangeOfEveryLineIsFound() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 12)
        let journal = JournalFolder(folder.path)
        let segments = try journal.segments()
        for segment in segments {
            let url = URL(filePath: journal.segment(segment))
            let text = try String(contentsOf: url, encoding: .utf8)
            let lines = text.split(separator: "\n").map(String.init)
            for place in lines.indices {
                var removed = lines
                removed.remove(at: place)
                var changed = lines
                changed[place] = changed[place].replacing("alice", with: "mallo")
                var repeated = lines
                repeated.insert(lines[place], at: place)
                var variants = [removed, changed]
                // Behind the head nothing counts.
                if segment != segments.last || place != lines.indices.last { variants.append(repeated) }
                if place > 0 {
                    var swapped = lines
                    swapped.swapAt(place, place - 1)
                    variants.append(swapped)
                }
                for variant in variants {
                    try Data((variant.joined(separator: "\n") + (variant.isEmpty ? "" : "\n")).utf8).write(to: url)
                    #expect(try !findings(folder.path).isEmpty, "segment \(segment) line \(place + 1)")
                }
            }
            try Data(text.utf8.dropLast(5)).write(to: url)
            #expect(try !findings(folder.path).isEmpty, "segment \(segment) cut off")
            try FileManager.default.removeItem(at: url)
            #expect(try findings(folder.path).contains { $0.contains(url.lastPathComponent) && $0.contains("is missing") })
            try Data(text.utf8).write(to: url)
            #expect(try findings(folder.path).isEmpty)
        }
    }

    @Test func theFindingSaysWhere() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 12)
        let path = JournalFolder(folder.path).segment(1)
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        lines.remove(at: 1)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        let findings = try findings(folder.path)
        #expect(findings.contains("\(path) line 2: record 3 follows record 1: 1 are missing"))
    }

    @Test func aKeyShowsAJournalThatWasWrittenAnew() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 5, key: JournalTests.key)
        #expect(try findings(folder.path, key: JournalTests.key).isEmpty)
        // Somebody without the key writes another journal, whole in itself.
        let forged = try TemporaryFolder()
        try write(forged.path, 5)
        #expect(try findings(forged.path).isEmpty)
        #expect(try !findings(forged.path, key: JournalTests.key).isEmpty)
        #expect(throws: KithError.self) { try JournalWriter(forged.path, key: JournalTests.key, segmentBytes: 1) }
    }

    @Test func retentionLeavesAnAnchor() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 30)
        let retention = JournalRetention(folder.path, key: nil, keepSeconds: 10)
        let dropped = try retention.run(now: 25)
        #expect(dropped > 1)
        var report = try JournalVerifier(folder.path, key: nil).run()
        #expect(report.findings.isEmpty && report.dropped > 0 && report.dropped + report.records == 30)
        var first: JournalRecord?
        try JournalQuery().run(folder.path, key: nil) { first = first ?? $0 }
        #expect(first?.n == report.dropped + 1)
        #expect((first?.recorded ?? 0) <= 16, "nothing that is not old enough went")
        try write(folder.path, 10, from: 31)
        #expect(try retention.run(now: 1_000_000) > 0)
        report = try JournalVerifier(folder.path, key: nil).run()
        #expect(report.findings.isEmpty && report.dropped + report.records == 40 && report.records > 0)
        // The anchor itself cannot be moved unseen.
        let anchor = JournalFolder(folder.path).anchor
        let text = try String(contentsOfFile: anchor, encoding: .utf8)
        try Data(text.replacing("segment\\\":", with: "segment\\\":1").utf8).write(to: URL(filePath: anchor))
        #expect(try findings(folder.path).contains { $0.hasPrefix(anchor) })
    }

    @Test func whatWasNotCommittedIsForgotten() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 4)
        let path = JournalFolder(folder.path).segment(try #require(try JournalFolder(folder.path).segments().last))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        handle.seekToEndOfFile()
        handle.write(Data("half a line".utf8))
        try handle.close()
        let report = try JournalVerifier(folder.path, key: nil).run()
        #expect(report.findings.isEmpty && report.uncounted == 11)
        try write(folder.path, 4, from: 5)
        #expect(try findings(folder.path).isEmpty)
    }

    @Test func queriesFilter() throws {
        let folder = try TemporaryFolder()
        let writer = try JournalWriter(folder.path, key: nil, segmentBytes: 1_000)
        for number in 0..<10 { try writer.add(record(number, actor: number % 2 == 0 ? "alice" : "bob")) }
        try writer.commit()
        func count(_ change: (inout JournalQuery) -> Void) throws -> Int {
            var query = JournalQuery()
            change(&query)
            return try query.run(folder.path, key: nil) { _ in }
        }
        #expect(try count { $0.actor = "bob" } == 5)
        #expect(try count { $0.resource = "collections/docs/points/7" } == 1)
        #expect(try count { $0.resource = "collections/docs" } == 10)
        #expect(try count { $0.operation = "audit" } == 0)
        #expect(
            try count {
                $0.from = "2026-11-21T10:00:03"; $0.to = "2026-11-21T10:00:05"
            } == 2)
        #expect(try count { $0.limit = 3 } == 3)
    }

    @Test func anEventThatComesTwiceIsWrittenOnce() throws {
        let folder = try TemporaryFolder()
        let sink = JournalSink(folder.path, key: nil, segmentBytes: 1 << 20, keepSeconds: nil, metrics: ConsumerMetrics())
        let place = TopicPartition("kith.changes.v1.docs", 0)
        func add(_ id: String, _ offset: Int64) throws {
            try sink.add(
                ConsumedRecord(place: place, offset: offset, key: nil, value: [1], headers: [("ce_id", Array(id.utf8))]))
        }
        #expect(try sink.take([place]) == [place: nil])
        for (offset, id) in ["k/1.0/1/0", "k/1.0/1/1", "k/1.0/1/0", "k/1.0/1/audit", "k/2.0/1/0"].enumerated() {
            try add(id, Int64(offset))
        }
        #expect(try sink.commit() == [place: 5])
        try add("k/1.0/2/0", 5)
        // Not committed: it comes again.
        sink.release()
        #expect(try sink.take([place]) == [place: 5])
        try add("k/1.0/2/0", 5)
        try add("k/1.0/1/1", 6)
        _ = try sink.commit()
        var events: [String] = []
        try JournalQuery().run(folder.path, key: nil) { events.append($0.event) }
        #expect(events == ["k/1.0/1/0", "k/1.0/1/1", "k/1.0/1/audit", "k/2.0/1/0", "k/1.0/2/0"])
    }

    @Test func damagedJournalsNeverCrash() throws {
        let folder = try TemporaryFolder()
        try write(folder.path, 8)
        let journal = JournalFolder(folder.path)
        let files = try [journal.head] + journal.segments().map(journal.segment)
        let originals = try files.map { [UInt8](try Data(contentsOf: URL(filePath: $0))) }
        try Fuzzing.run(rounds: 200, seed: 31) { generator in
            let place = Int.random(in: 0..<files.count, using: &generator)
            let damaged = Fuzzing.mutated(originals[place], &generator)
            try Data(damaged).write(to: URL(filePath: files[place]))
            let report = try JournalVerifier(folder.path, key: nil).run()
            // What is behind the head's bytes does not count; the head itself may be spaced out and say the same.
            let isHarmless = damaged == originals[place] || place == files.count - 1 && damaged.starts(with: originals[place])
            if place > 0 { #expect(report.findings.isEmpty == isHarmless, "\(files[place])") }
            _ = try? JournalQuery().run(folder.path, key: nil) { _ in }
            try Data(originals[place]).write(to: URL(filePath: files[place]))
        }
    }
}
