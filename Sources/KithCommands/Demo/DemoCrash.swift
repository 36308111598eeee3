import Foundation
import KithAPI
import KithCore
import Synchronization

/// The last step: the server is killed in the middle of writing, and nothing that it acknowledged may be missing.
struct DemoCrash {
    /// Acknowledged writes after which the server is killed.
    private static let killAfter: UInt64 = 2_000
    /// Ids of the points written here begin above those of the dictionary.
    private static let firstID: UInt64 = 1_000_000

    private let dictionary: WordDictionary
    private let folder: String
    private let stage: DemoStage
    private let broker: DemoBroker
    private let changed: Demo.Changed
    private let firstReport: DemoReport

    init(demo: Demo, broker: DemoBroker, changed: Demo.Changed) {
        dictionary = demo.dictionary
        folder = demo.folder
        stage = demo.stage
        firstReport = demo.report
        self.broker = broker
        self.changed = changed
    }

    func play(_ server: DemoServer, _ reader: TopicReader) throws(KithError) -> DemoReport {
        var report = firstReport
        report.begin("Kill the server while it writes, and start it again")
        let before = try server.client.count(Demo.collection)
        let (sent, acknowledged) = try writeUntilKilled(server)
        report.fact("killed", "with SIGKILL, \(grouped(acknowledged)) of \(grouped(sent)) further points acknowledged")
        let again = try DemoServer(folder: folder, brokers: broker.address, topicPrefix: broker.topicPrefix)
        stage.set(server: again)
        report.fact("restarted", "and listening after \(seconds(again.startTime))")

        let count = try again.client.count(Demo.collection)
        report.check(
            (before + acknowledged...before + sent).contains(count),
            "\(grouped(count)) points: the \(grouped(before)) of before, and \(grouped(count - min(before, count))) of the stream"
        )
        try checkPoints(again.client, sent: sent, acknowledged: acknowledged, &report)
        try checkChanged(again.client, &report)
        try checkSearches(again.client, acknowledged: acknowledged, &report)
        try checkTopic(again.client, reader, &report)
        again.stop()
        return report
    }

    /// Streams points in; the server dies under it.
    private func writeUntilKilled(_ server: DemoServer) throws(KithError) -> (sent: UInt64, acknowledged: UInt64) {
        let last = LastAcknowledged()
        let stream = try ClientUpsertStream(
            server.client, collection: Demo.collection,
            handlers: ClientUpsertStream.Handlers(
                acknowledged: { sequence in
                    last.set(sequence)
                    if sequence >= DemoCrash.killAfter { server.kill() }
                }, failed: { _, _ in }))
        var sent: UInt64 = 0
        do throws(KithError) {
            for (index, entry) in dictionary.entries.enumerated() {
                sent = UInt64(index) + 1
                try stream.send(Demo.upsert(DemoCrash.id(sent), entry.vector, DemoCrash.payload(sent, of: entry)))
            }
            try stream.close()
        } catch {
            // This is what we did it for.
            server.process.wait()
            return (sent, last.value)
        }
        throw KithError(.internal, .serverUnreachable, "the server took everything before it could be killed")
    }

    private static func id(_ number: UInt64) -> PointID { .number(firstID + number) }

    private static func payload(_ number: UInt64, of entry: WordDictionary.Entry) -> String {
        "{\"word\":\(PointText.quoted(entry.word)),\"definition\":\"copy \(number)\"}"
    }

    private func entry(_ number: UInt64) -> WordDictionary.Entry { dictionary.entries[Int(number) - 1] }

    /// Every acknowledged point is there as it was written; of the others none is half there.
    private func checkPoints(
        _ client: KithClient, sent: UInt64, acknowledged: UInt64, _ report: inout DemoReport
    ) throws(KithError) {
        var whole = 0
        var other = 0
        var broken = 0
        for start in stride(from: 1, through: sent, by: 1_000) {
            let numbers = start...min(start + 999, sent)
            for point in try client.get(Demo.collection, numbers.map(DemoCrash.id), vectors: true) {
                guard case .number(let id) = point.id else { continue }
                let number = id - DemoCrash.firstID
                let isWhole =
                    point.payload == DemoCrash.payload(number, of: entry(number))
                    && DemoCrash.vector(point) == entry(number).vector
                if !isWhole { broken += 1 } else if number <= acknowledged { whole += 1 } else { other += 1 }
            }
        }
        report.check(whole == acknowledged, "all \(grouped(acknowledged)) acknowledged points are there, vector and payload")
        report.check(broken == 0, "of the unacknowledged ones \(grouped(other)) made it whole, the others not at all")
    }

    private static func vector(_ point: ClientPoint) -> [Float] {
        switch point.vectors.first?.components {
        case .floats(let values): values
        case .bytes(let bytes, let element): VectorComponents.floats(bytes, element ?? .float32)
        case nil: []
        }
    }

    private func checkChanged(_ client: KithClient, _ report: inout DemoReport) throws(KithError) {
        let found = try client.get(Demo.collection, Array(changed.versions.keys) + changed.deleted)
        let versions = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0.version) })
        report.check(versions == changed.versions, "updated points have their versions, deleted ones stay deleted")
    }

    /// A search by the vector of a point that was written before the crash finds it.
    private func checkSearches(_ client: KithClient, acknowledged: UInt64, _ report: inout DemoReport) throws(KithError) {
        var found = 0
        var asked = 0
        for number in stride(from: 1, through: acknowledged, by: 20) {
            var query = ClientQuery(.vector(ClientVector(.floats(entry(number).vector))))
            query.topK = 5
            query.payload = false
            asked += 1
            if try client.search(Demo.collection, query).contains(where: { $0.id == DemoCrash.id(number) }) { found += 1 }
        }
        report.check(found == asked, "searches find them: \(grouped(found)) of \(grouped(asked)) tried")
    }

    /// Kafka gets every commit, those of before the crash too; copies carry the same id.
    private func checkTopic(_ client: KithClient, _ reader: TopicReader, _ report: inout DemoReport) throws(KithError) {
        let listener = try ChangeListener(client, collection: Demo.collection)
        let latest = try client.latestPosition(Demo.collection)
        try Waiting.until(seconds: 20, "Subscribe has sent everything") {
            listener.heard.last.map { $0.source.logPosition >= latest && $0.source.isLast } ?? false
        }
        let log = listener.heard.map(\.id)
        listener.cancel()
        try reader.read(until: Set(log))
        var seen = Set<String>()
        let inOrder = reader.events.map(\.id).filter { seen.insert($0).inserted }
        let copies = reader.events.count - inOrder.count
        report.check(
            inOrder == log,
            "Kafka has all \(grouped(log.count)) changes in order\(copies > 0 ? "; \(grouped(copies)) came twice, with the same ids" : "")"
        )
    }
}

/// How far a stream is acknowledged.
private final class LastAcknowledged: Sendable {
    private let sequence = Atomic<UInt64>(0)

    var value: UInt64 { sequence.load(ordering: .acquiring) }
    func set(_ new: UInt64) { sequence.store(new, ordering: .releasing) }
}

extension KithClient {
    /// The last commit of a collection's only shard.
    fileprivate func latestPosition(_ collection: String) throws(KithError) -> LogPosition {
        struct Answer: Decodable {
            struct Position: Decodable { var position: String }
            var latest: [Position]
        }
        let answer: Answer = try call("/kith.v1.ChangeService/GetPositions", ["collection": collection])
        return answer.latest.first.flatMap { UInt64($0.position) } ?? 0
    }
}
