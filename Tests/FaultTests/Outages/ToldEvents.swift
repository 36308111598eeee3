import Foundation
import KithEvents
import TestSupport
import Testing

/// What those who listen were told, beside the log.
struct ToldEvents {
    private let schedule: Schedule
    private let log: [[LogEvent]]
    private let continuation: Continuation
    private let places: [String: (shard: Int, index: Int)]
    /// The collection's points by the log.
    private let marks: [String: String]

    init(_ schedule: Schedule, _ log: [[LogEvent]], _ continuation: Continuation) {
        self.schedule = schedule
        self.log = log
        self.continuation = continuation
        places = Dictionary(
            uniqueKeysWithValues: log.enumerated().flatMap { shard, events in
                events.enumerated().map { ($1.id, (shard, $0)) }
            })
        marks = log.joined().reduce(into: [:]) { $0[$1.point] = $1.payload.flatMap(ToldEvents.mark) }
    }

    private static func mark(_ payload: String) -> String? {
        (try? JSONDecoder().decode(JSON.self, from: Data(payload.utf8)))?["mark"].string
    }

    /// Whether an event was made after the orderly stop: only those come after it, once.
    private func isNew(_ event: LogEvent) -> Bool { event.requestID == continuation.requestID }

    // MARK: Kafka

    /// Each event of the log is there, and nothing else. Exactly once: once, in the log's order. At least once: the first copies in that order,
    /// later ones the same.
    func check(_ records: [KafkaRecord]) throws {
        var all = log.map { _ in [String]() }
        var firsts = all
        var values: [String: [UInt8]] = [:]
        for record in records {
            let id = record.header("ce_id") ?? "?"
            all[record.partition].append(id)
            if let before = values.updateValue(record.value ?? [], forKey: id) {
                #expect(before == record.value, "\(schedule): \(id) came twice, and not as the same")
            } else {
                firsts[record.partition].append(id)
            }
        }
        for (shard, events) in log.enumerated() {
            let told = schedule.delivery == .exactlyOnce ? all[shard] : firsts[shard]
            #expect(told == events.map(\.id), "\(schedule): shard \(shard) of the topic")
            let continued = records.filter { $0.partition == shard && $0.offset >= continuation.offsets[shard] }
            #expect(
                continued.map { $0.header("ce_id") ?? "?" } == events.filter(isNew).map(\.id),
                "\(schedule): shard \(shard) of the topic after an orderly stop")
            for event in events {
                guard let value = values[event.id] else { continue }
                let json = try JSONDecoder().decode(JSON.self, from: Data(value))
                #expect(LogEvent(json) == event, "\(schedule): \(event.id)")
            }
        }
    }

    /// The last record of each key is the point as it stands.
    func check(state records: [KafkaRecord]) throws {
        var points: [String: String] = [:]
        for record in records {
            let image = try record.value.map { try JSONDecoder().decode(JSON.self, from: Data($0)) }
            points[String(decoding: record.key, as: UTF8.self)] = image?["payloadJson"].string.flatMap(ToldEvents.mark)
        }
        #expect(points == marks, "\(schedule): the state topic")
    }

    // MARK: The endpoint

    /// No event is sent before all before it in its shard are taken, and in the end all are.
    func check(_ requests: [Endpoint.Request]) {
        var taken = log.map { _ in 0 }
        for (number, request) in requests.enumerated() {
            let sent = request.events.compactMap { places[$0] }
            guard let first = sent.first, sent.count == request.events.count else {
                Issue.record("\(schedule): request \(number) has events that are not in the log: \(request.events)")
                continue
            }
            let isRun = sent.enumerated().allSatisfy { $1 == (first.shard, first.index + $0) }
            #expect(isRun && first.index <= taken[first.shard], "\(schedule): request \(number) has \(request.events)")
            if request.isTaken { taken[first.shard] = max(taken[first.shard], first.index + sent.count) }
        }
        #expect(taken == log.map(\.count), "\(schedule): the endpoint lacks events")
        let continued = requests.dropFirst(continuation.requests).flatMap(\.events)
        #expect(
            continued.sorted() == log.joined().filter(isNew).map(\.id).sorted(),
            "\(schedule): the endpoint after an orderly stop")
    }

    // MARK: The consumer

    /// The sink ends as the collection; files have each event once, in order.
    func check(_ consumer: SinkConsumer) throws {
        #expect(try consumer.marks(partitions: log.count) == marks, "\(schedule): the sink")
        #expect(!consumer.hasDeadLetters, "\(schedule): the sink has dead letters")
        guard let lines = try consumer.lines(partitions: log.count) else { return }
        for (shard, events) in log.enumerated() {
            #expect(lines[shard].map(\.event) == events.map(\.id), "\(schedule): shard \(shard) of the files")
        }
    }
}
