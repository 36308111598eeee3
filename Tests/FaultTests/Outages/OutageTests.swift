import Foundation
import KithEvents
import TestSupport
import Testing

/// Random schedules of faults while clients write: afterwards the log, the collection, the topics, the endpoint and the sink say the same.
@Suite("Outages", .serialized)
struct OutageTests {
    private static let broker = Result { try Broker() }

    @Test(arguments: Campaign.outageSeeds)
    func allWhoListenAgree(seed: UInt64) throws {
        let schedule = Schedule(seed: seed)
        print(schedule)
        let broker = try OutageTests.broker.get()
        let run = try OutageRun(schedule, broker)
        defer { run.end() }
        for step in schedule.steps {
            try #require(try run.perform(step), "\(schedule): no progress at \(step)\n\(run.output)")
        }
        try run.recover()
        let continuation = try run.stopAndGoOn()
        let log = try run.server.connection.log(run.collection)
        for writer in run.writers { writer.check(log) }
        try checkCollection(run.server.connection, run.collection, log)
        let told = ToldEvents(schedule, log, continuation)
        try told.check(try broker.records(of: run.changesTopic, partitions: OutageRun.shards, schedule.delivery))
        try told.check(state: try broker.records(of: run.stateTopic, partitions: OutageRun.shards, schedule.delivery))
        told.check(run.endpoint.requests)
        try told.check(run.consumer)
    }
}
