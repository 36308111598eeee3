import Foundation
import KithCommands
package import KithCore

/// Checks a journal from its first record to its head.
package struct JournalVerifier {
    /// Something that is not as it was written.
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// A file, or a file and line.
        package var place: String
        package var what: String

        package var description: String { "\(place): \(what)" }
    }

    /// What was looked at, and what is wrong with it.
    package struct Report: Sendable {
        /// In the order of the journal; empty where it is whole.
        package var findings: [Finding] = []
        package var records: UInt64 = 0
        package var segments = 0
        /// Records that retention dropped, as the anchor says.
        package var dropped: UInt64 = 0
        /// Bytes behind the head: written by a process that died before they counted.
        package var uncounted = 0
        /// The last record's hash: keep it elsewhere, and compare.
        package var hash = ""
    }

    private let folder: JournalFolder
    private let key: [UInt8]?

    package init(_ path: String, key: [UInt8]?) {
        folder = JournalFolder(path)
        self.key = key
    }

    /// - Throws: where files cannot be read at all.
    package func run() throws(KithError) -> Report {
        var report = Report()
        let anchor: JournalAnchor? = sealed(folder.anchor, &report)
        let head: JournalHead? = sealed(folder.head, &report)
        if head == nil, report.findings.isEmpty { report.findings.append(Finding(place: folder.head, what: "is missing")) }
        var chain = Chain(n: anchor?.n ?? 0, hash: anchor?.hash ?? Digest.hex(JournalLine.origin))
        report.dropped = anchor?.n ?? 0
        let first = anchor?.segment ?? 1
        let last = head?.segment ?? Int.max
        var expected = first
        for number in try folder.segments() where number >= first {
            if number > last {
                report.uncounted += size(folder.segment(number))
                continue
            }
            while expected < number {
                report.findings.append(Finding(place: folder.segment(expected), what: "is missing"))
                expected += 1
            }
            expected += 1
            report.segments += 1
            let limit = number == head?.segment ? head?.bytes : nil
            try check(number, limit: limit, &chain, &report)
        }
        if let head { check(head, chain, expected, &report) }
        report.records = chain.n - min(chain.n, report.dropped)
        report.hash = chain.hash
        return report
    }

    private struct Chain {
        var n: UInt64
        var hash: String
    }

    private func sealed<Content: Decodable>(_ path: String, _ report: inout Report) -> Content? {
        do throws(KithError) { return try JournalSeal.read(path, key: key) } catch {
            report.findings.append(Finding(place: path, what: error.message))
            return nil
        }
    }

    private func check(_ head: JournalHead, _ chain: Chain, _ expected: Int, _ report: inout Report) {
        if expected <= head.segment {
            report.findings.append(
                Finding(
                    place: folder.segment(expected),
                    what: "is missing: the head says that the journal goes to segment \(head.segment)"))
        }
        if chain.n != head.n {
            report.findings.append(
                Finding(place: folder.head, what: "the journal ends with record \(chain.n), and \(head.n) were written"))
        } else if chain.hash != head.hash {
            report.findings.append(Finding(place: folder.head, what: "the last record has another hash than the head says"))
        }
    }

    private func check(_ number: Int, limit: Int?, _ chain: inout Chain, _ report: inout Report) throws(KithError) {
        let path = folder.segment(number)
        let whole = size(path)
        if let limit, whole < limit {
            report.findings.append(Finding(place: path, what: "is cut off: it has \(whole) bytes, and \(limit) were written"))
        }
        if let limit, whole > limit { report.uncounted += whole - limit }
        var at = chain
        var findings: [Finding] = []
        let rest = try folder.lines(of: number, limit: limit) { line, place throws(KithError) in
            if let what = JournalVerifier.check(line, &at), findings.count < Limits.journalFindings {
                findings.append(Finding(place: "\(path) line \(place)", what: what))
            }
            return true
        }
        if rest > 0 { findings.append(Finding(place: path, what: "its last line is cut off")) }
        chain = at
        report.findings += findings
    }

    /// What is wrong with a line; the chain goes on with what the line says, so that one fault is one finding.
    private static func check(_ line: ArraySlice<UInt8>, _ chain: inout Chain) -> String? {
        guard let (hash, json) = JournalLine.parts(line) else { return "is no record" }
        let isLinked = Digest.hex(Digest.sha256(Hexadecimal.bytes(chain.hash), Array(json))) == hash
        let expected = chain.n + 1
        chain.hash = hash
        guard let record = try? JSONDecoder().decode(JournalRecord.self, from: Data(json)) else {
            chain.n = expected
            return "is no record"
        }
        chain.n = record.n
        if record.n > expected {
            return "record \(record.n) follows record \(expected - 1): \(record.n - expected) are missing"
        }
        if record.n < expected { return "record \(record.n) follows record \(expected - 1): it was moved or repeated" }
        return isLinked ? nil : "record \(record.n) was changed, or the one before it"
    }

    private func size(_ path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
    }
}
