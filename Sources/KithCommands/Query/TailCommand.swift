import Foundation
import KithAPI
import KithCore
import KithEvents

/// `kith tail`.
enum TailCommand {
    static let description = CommandDescription(
        name: "tail", summary: "Print the changes of a collection as they happen, a JSON object a line",
        options: Connection.options + [
            Option(name: "collection", value: "NAME", help: "name or alias"),
            Option(name: "from", value: "PLACE", help: "now, start, snapshot, or positions such as 120 or 0:120,1:98 (now)"),
            Option(name: "vectors", value: nil, help: "with whole vectors"),
            Option(name: "limit", value: "N", help: "end after so many events"),
            Option(name: "kafka", value: "BROKERS", help: "read the Kafka topic in place of asking a server"),
            Option(name: "topic-prefix", value: "TEXT", help: "of that topic (kith)"),
        ],
        notes: [
            "'start' is the first change that is kept, 'snapshot' prints every point first, then what changes.",
            "Goes on after a break where it was. From Kafka, --from is now or start.",
        ]
    ) { arguments throws(KithError) in
        let collection = try arguments.required("collection")
        let place = try Place(arguments.value("from") ?? "now")
        let limit = try arguments.number("limit", 1...Int(Int64.max)) ?? Int.max
        if let brokers = arguments.value("kafka") {
            let prefix = arguments.value("topic-prefix") ?? KafkaConfiguration.defaultTopicPrefix
            return try followKafka(collection, place, KafkaConfiguration(brokers: brokers, topicPrefix: prefix), limit)
        }
        return try Connection.with(arguments) { client throws(KithError) in
            try follow(client, collection, place, vectors: arguments.flag("vectors"), limit)
        }
    }

    /// Where to begin.
    private struct Place {
        var start: ChangeSubscription.Start
        var positions: [ShardPosition] = []

        init(after positions: [ShardPosition]) {
            start = .position
            self.positions = positions
        }

        init(_ text: String) throws(KithError) {
            switch text {
            case "now": start = .now
            case "start": start = .position
            case "snapshot": start = .snapshot
            default:
                start = .position
                for part in text.split(separator: ",") {
                    let numbers = part.split(separator: ":").map(String.init)
                    guard numbers.count <= 2, let position = numbers.last.flatMap(UInt64.init),
                        let shard = numbers.count == 2 ? UInt16(numbers[0]) : 0
                    else { throw .usage("--from is '\(text)', not now, start, snapshot or shard:position,...", key: "from") }
                    positions.append(ShardPosition(shard: shard, position: position))
                }
            }
        }
    }

    private static func follow(
        _ client: KithClient, _ collection: String, _ place: Place, vectors: Bool, _ limit: Int
    ) throws(KithError) -> Int32 {
        var place = place
        var progress = TailProgress()
        var left = limit
        var failures = 0
        while true {
            do throws(KithError) {
                let subscription = try ChangeSubscription(
                    client, collection: collection, start: place.start, positions: place.positions, vectors: vectors)
                while let json = try subscription.next() {
                    failures = 0
                    for line in try progress.newLines(json) {
                        Console.print(line)
                        left -= 1
                        if left == 0 {
                            subscription.cancel()
                            return ExitCode.success
                        }
                    }
                }
            } catch {
                guard error.code == .unavailable, progress.hasBegun || failures > 0 else { throw error }
                failures += 1
                if failures == 1 { Console.note("kith: \(error.description); trying again") }
            }
            // Without a position nothing has come: it begins as before.
            if !progress.positions.isEmpty { place = Place(after: progress.positions) }
            Thread.sleep(forTimeInterval: min(Double(failures), 5))
        }
    }

    private static func followKafka(
        _ collection: String, _ place: Place, _ configuration: KafkaConfiguration, _ limit: Int
    ) throws(KithError) -> Int32 {
        guard place.start != .snapshot, place.positions.isEmpty else {
            throw .usage("with --kafka, --from is now or start", key: "from")
        }
        let consumer = try KafkaConsumer(configuration: configuration)
        let topic = configuration.changesTopic(collection: collection)
        guard let partitions = try consumer.partitionCount(of: topic) else {
            throw KithError(
                .notFound, .brokerFailure, "there is no topic \(topic): it is made with the first change",
                metadata: ["topic": topic])
        }
        try consumer.assign(topic: topic, partitions: 0..<partitions, from: place.start == .now ? .end : .beginning)
        var left = limit
        while true {
            for record in try consumer.poll(milliseconds: 1_000) {
                guard let value = record.value else { continue }
                let isJSON = record.header("content-type") == "application/json"
                Console.print(String(decoding: isJSON ? Data(value) : try MessageJSON.changeEvent(value), as: UTF8.self))
                left -= 1
                if left == 0 { return ExitCode.success }
            }
        }
    }
}
