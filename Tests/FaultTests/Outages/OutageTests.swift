import Foundation
import KithEvents
import TestSupport
import Testing

/// Random schedules of faults while clients write: afterwards the topic, the change log and the collection say the same.
@Suite("Outages", .serialized)
struct OutageTests {
    private static let shards = 2
    private static let broker = Result { try Broker() }

    @Test(arguments: Campaign.outageSeeds)
    func topicLogAndCollectionAgree(seed: UInt64) throws {
        let schedule = Schedule(seed: seed)
        let told = "seed \(seed): \(schedule.steps.map { "\($0.fault)" }.joined(separator: ", "))"
        let run = try OutageRun(seed: seed, broker: try OutageTests.broker.get(), shards: OutageTests.shards)
        defer { run.end() }
        for step in schedule.steps { try #require(try run.perform(step), "\(told): no progress at \(step)\n\(run.output)") }
        try run.recover()
        let log = try run.server.connection.log(run.collection)
        for writer in run.writers { writer.check(log) }
        try checkCollection(run.server.connection, run.collection, log)
        try compare(try run.topic(expecting: log), log, told)
    }

    /// At least once: each event of the log is there, the first copies in the log's order, later ones the same. And nothing else is.
    private func compare(_ records: [KafkaRecord], _ log: [[LogEvent]], _ told: String) throws {
        var firsts = log.map { _ in [String]() }
        var values: [String: [UInt8]] = [:]
        for record in records {
            let id = record.header("ce_id") ?? "?"
            if let before = values.updateValue(record.value ?? [], forKey: id) {
                #expect(before == record.value, "\(told): \(id) came twice, and not as the same")
            } else {
                firsts[record.partition].append(id)
            }
        }
        for (shard, events) in log.enumerated() {
            #expect(firsts[shard] == events.map(\.id), "\(told): shard \(shard)")
            for event in events {
                guard let value = values[event.id] else { continue }
                let json = try JSONDecoder().decode(JSON.self, from: Data(value))
                #expect(LogEvent(json) == event, "\(told): \(event.id)")
            }
        }
    }
}
