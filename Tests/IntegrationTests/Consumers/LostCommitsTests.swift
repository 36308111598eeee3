import Foundation
import TestSupport
import Testing

/// Consumers of a stream that says that commits are lost.
@Suite("Lost commits", .serverOutput)
struct LostCommitsTests {
    @Test(arguments: TestBroker.kinds, ["ENCODING_PROTOBUF", "ENCODING_JSON"])
    func areToldAndNotSkipped(isReal: Bool, encoding: JSON) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["docs": 1])
        let server = try ServerProcess(["--kafka.brokers", broker.address] + EveryEvent.trims)
        try EveryEvent.loseCommits(of: "docs", server, broker, ["encoding": encoding])
        let folder = try TemporaryFolder()
        let etl = LiveConsumer(["etl", "--sink", "jsonl", "--folder", folder("files")], broker, batch: 1)

        let stopped = try etl.readToEnd()
        #expect(stopped.status != 0 && stopped.output.contains("POSITION_TRIMMED"), "\(stopped.output)")
        #expect(try SinkFiles(folder("files"), "jsonl", collection: "docs").rows.map(\.id) == (0..<5).map { "\($0)" })

        let passed = try etl.readToEnd(["--gaps", "pass"])
        #expect(passed.status == 0, "\(passed.output)")
        let rows = try SinkFiles(folder("files"), "jsonl", collection: "docs").rows.map(\.id)
        #expect(rows.prefix(5) == (0..<5).map { "\($0)" }[...] && rows.suffix(5) == (65..<70).map { "\($0)" }[...])
        #expect(rows.count < 70 && Set(rows).count == rows.count)
        let letters = try String(contentsOfFile: folder("files/dead-letters.jsonl"), encoding: .utf8)
        #expect(letters.split(separator: "\n").count == 1 && letters.contains("commits before it are lost"))

        let audit = LiveConsumer(["audit", "follow", "--folder", folder("journal")], broker)
        #expect(try audit.readToEnd().status == 0)
        let gaps = try Consuming.run(["audit", "query", "--folder", folder("journal"), "--operation", "change.gap"])
        #expect(gaps.output.contains("collections/docs") && gaps.output.contains("/gap\n"), "\(gaps.output)")
        let governance = LiveConsumer(["governance", "follow", "--folder", folder("state")], broker)
        #expect(try governance.readToEnd().status == 0)
    }
}
