import Foundation
import KithConsumers
import KithCore
import KithEvents
import TestSupport

/// Follows a topic in this process until it has all that there is.
func followToEnd(
    _ topic: ChangeTopic, into sink: any RecordSink, group: String = UUID().uuidString, batch: Int = 50,
    metrics: ConsumerMetrics = ConsumerMetrics()
) throws {
    var options = Follower.Options()
    options.batchRecords = batch
    options.stopsAtEnd = true
    options.retry = RetryDelay(first: .milliseconds(10), last: .milliseconds(100))
    let consumer = try GroupConsumer(
        KafkaConfiguration(brokers: topic.brokers, properties: quickFetches), group: group, topics: [topic.name])
    try Follower(consumer, into: sink, options: options, metrics: metrics, stop: StopFlag()).run()
}

/// The end of a partition is told after a fetch that found nothing: that need not take half a second.
let quickFetches = ["fetch.wait.max.ms": "20"]

/// Keeps dead letters, to be looked at.
final class DeadLetterList: DeadLetterOffice {
    private(set) var letters: [KithConsumers.DeadLetter] = []
    func add(_ letter: KithConsumers.DeadLetter) { letters.append(letter) }
    func commit() {}
}

/// `kith-consume`, as it was built beside these tests.
let consumeBinary = URL(filePath: TestEnvironment.binary).deletingLastPathComponent().appending(path: "kith-consume").path

/// The data files of a partition, in order.
func dataFiles(_ folder: String, _ topic: String, _ partition: Int) throws -> [String] {
    let place = "\(folder)/\(topic)/\(partition)"
    return try FileManager.default.contentsOfDirectory(atPath: place).filter { $0.first?.isNumber == true }.sorted().map {
        "\(place)/\($0)"
    }
}
