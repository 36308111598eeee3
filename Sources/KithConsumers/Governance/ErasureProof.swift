import Foundation
package import KithAPI
import KithCommands
package import KithCore
package import KithEvents

/// Looks for points that should be gone, everywhere they can be, and says what it found.
///
/// The report names no point: it has a digest of the ids, so that it can be kept and shown.
package struct ErasureProof: Sendable {
    /// What was found in one place.
    package struct Finding: Codable, Sendable, Equatable {
        /// Such as `topic kith.changes.v1.docs`.
        package var place: String
        /// Points that are still there.
        package var remaining: Int
        /// Records that were looked at.
        package var looked: Int
        /// For people.
        package var note: String
    }

    /// What all places say together.
    package struct Report: Codable, Sendable, Equatable {
        package var collection: String
        /// Points that were asked about, each counted once.
        package var requested: Int
        /// SHA-256 of the ids as text, sorted bytewise, each followed by a line feed: as in `ErasureProved`.
        package var pointsSHA256: String
        /// When it was made, RFC 3339 in UTC.
        package var time: String
        package var findings: [Finding]
        /// Whether no place had any of the points; false where no place was looked at.
        package var isProved: Bool
    }

    private let collection: String
    private let ids: [PointID]
    private let keys: Set<String>

    package init(collection: String, ids: [PointID]) {
        self.collection = collection
        self.ids = ids
        keys = Set(ids.map(\.description))
    }

    /// SHA-256 of the ids as text, sorted bytewise, each followed by a line feed.
    private var digest: [UInt8] {
        let sorted = keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        return Digest.sha256(sorted.flatMap { $0 + [0x0A] })
    }

    package func report(_ findings: [Finding]) -> Report {
        return Report(
            collection: collection, requested: keys.count,
            pointsSHA256: Digest.hex(digest),
            time: ChangeRecord.timestamp(Int64(Date().timeIntervalSince1970 * 1e6)), findings: findings,
            isProved: !findings.isEmpty && findings.allSatisfy { $0.remaining == 0 })
    }

    // MARK: The places

    /// Asks the server.
    package func inCollection(_ client: KithClient) throws(KithError) -> Finding {
        var remaining = 0
        var rest = ids[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Limits.pageSize))
            rest = rest.dropFirst(part.count)
            remaining += try client.get(collection, part, payload: false).count
        }
        return Finding(
            place: "collection \(collection) at \(client.address)", remaining: remaining, looked: ids.count, note: "read by id")
    }

    /// Reads the server's change log, from the first commit that is kept: a point remains while an image of it has a payload or a vector.
    package func inLog(_ client: KithClient) throws(KithError) -> Finding {
        struct Positions: Decodable { var latest: [Position] }
        struct Position: Decodable {
            var shard: UInt16?
            var position: String?
        }
        struct Response: Decodable {
            struct Event: Decodable { var before, after: Image? }
            struct Image: Decodable {
                struct Vector: Decodable { var data: String? }
                var id: WireID
                var payloadJson: String?
                var vectors: [Vector]?

                var holdsData: Bool { payloadJson != nil || vectors?.contains { $0.data != nil } == true }
            }
            struct Heartbeat: Decodable { var positions: [Position]? }
            var events: [Event]?
            var heartbeat: Heartbeat?
        }
        let latest: Positions = try client.call("/kith.v1.ChangeService/GetPositions", ["collection": collection])
        let end = Dictionary(latest.latest.map { ($0.shard ?? 0, UInt64($0.position ?? "") ?? 0) }) { $1 }
        let changes = try ChangeSubscription(
            client, collection: collection, start: .position, heartbeatMilliseconds: 100, vectors: true)
        defer { changes.cancel() }
        var holding: Set<String> = []
        var looked = 0
        while let json = try changes.next() {
            let response: Response = try MessageJSON.value(json)
            for event in response.events ?? [] {
                looked += 1
                for image in [event.before, event.after].compactMap({ $0 }) where image.holdsData {
                    if let id = image.id.id?.description, keys.contains(id) { holding.insert(id) }
                }
            }
            guard let heartbeat = response.heartbeat else { continue }
            let seen = Dictionary((heartbeat.positions ?? []).map { ($0.shard ?? 0, UInt64($0.position ?? "") ?? 0) }) { $1 }
            if end.allSatisfy({ shard, position in (seen[shard] ?? 0) >= position }) { break }
        }
        return Finding(
            place: "change log of \(collection) at \(client.address)", remaining: holding.count, looked: looked,
            note: "points with a payload or a vector in a commit; an erasure takes them out")
    }

    /// Asks for the server's own proof: it must be of these points.
    package func by(erasure name: String, _ client: KithClient) throws(KithError) -> Finding {
        struct Erasure: Decodable { var collection, stage, pointsSha256, deleted: String }
        let erasure: Erasure = try client.call("/kith.v1.GovernanceService/GetErasure", ["erasure": name])
        let isProved =
            erasure.stage == "STAGE_PROVED" && erasure.collection == collection
            && erasure.pointsSha256 == Data(digest).base64EncodedString()
        return Finding(
            place: "erasure \(name) at \(client.address)", remaining: isProved ? 0 : keys.count, looked: keys.count,
            note: isProved
                ? "proved: \(erasure.deleted) points were there" : "not proved, or of other points, or of another collection")
    }

    /// Reads a changes topic from its beginning: a point remains while an event has an image of it.
    package func inChanges(_ configuration: KafkaConfiguration) throws(KithError) -> Finding {
        let topic = configuration.changesTopic(collection: collection)
        var holding: Set<String> = []
        let looked = try read(topic, configuration) { record in
            let key = String(decoding: record.key, as: UTF8.self)
            guard keys.contains(key), let value = record.value else { return }
            let consumed = ConsumedRecord(
                place: TopicPartition(record.topic, record.partition), offset: record.offset, key: record.key, value: value,
                headers: record.headers)
            // One that cannot be read may hold anything.
            guard let change = try? ChangeRecord(consumed) else {
                holding.insert(key)
                return
            }
            let images = [change.before, change.after].compactMap { $0 }
            if images.contains(where: { !$0.payload.isEmpty || $0.vectors.contains { !$0.data.isEmpty } }) { holding.insert(key) }
        }
        return Finding(
            place: "topic \(topic)", remaining: holding.count, looked: looked,
            note: "points with a payload or a vector in an event; they go with the topic's retention")
    }

    /// Reads the state topic from its beginning: a point remains while any record of it has a value.
    package func inState(_ configuration: KafkaConfiguration) throws(KithError) -> Finding {
        let topic = "\(configuration.topicPrefix).state.v1.\(collection)"
        var holding: Set<String> = []
        var living: Set<String> = []
        let looked = try read(topic, configuration) { record in
            let key = String(decoding: record.key, as: UTF8.self)
            guard keys.contains(key) else { return }
            if record.value == nil {
                living.remove(key)
            } else {
                holding.insert(key)
                living.insert(key)
            }
        }
        return Finding(
            place: "topic \(topic)", remaining: holding.count, looked: looked,
            note: "\(living.count) without a tombstone; the others go when Kafka compacts the topic")
    }

    /// Reads the files of `kith-consume etl` in JSON Lines.
    package func inFiles(_ folder: String) throws(KithError) -> Finding {
        struct Line: Decodable {
            var id: JSONID
            var payload: Present?
            var vectors: Present?
        }
        var holding: Set<String> = []
        var looked = 0
        let topics = try DurableFiles.names(in: folder).filter { $0.hasSuffix(".changes.v1.\(collection)") }
        for topic in topics {
            for partition in try DurableFiles.names(in: "\(folder)/\(topic)") {
                for name in try DurableFiles.names(in: "\(folder)/\(topic)/\(partition)") where name.hasSuffix(".jsonl") {
                    let file = try InputFile("\(folder)/\(topic)/\(partition)/\(name)")
                    while let line = try file.line(limit: Limits.importLineBytes) {
                        looked += 1
                        guard let row = try? JSONDecoder().decode(Line.self, from: Data(line.bytes)) else { continue }
                        if keys.contains(row.id.text), row.payload != nil || row.vectors != nil { holding.insert(row.id.text) }
                    }
                }
            }
        }
        return Finding(
            place: "files in \(folder)", remaining: holding.count, looked: looked, note: "rows with a payload or vectors")
    }

    /// Asks a table of `kith-consume etl`.
    package func inTable(_ connection: String, table: String) throws(KithError) -> Finding {
        let database = try PostgresConnection(connection)
        var remaining = 0
        for id in keys.sorted() {
            remaining += try database.run("SELECT 1 FROM \(table) WHERE id = $1", [id]).count
        }
        return Finding(place: "table \(table)", remaining: remaining, looked: keys.count, note: "read by id")
    }

    /// Visits every record that a topic has now. Answers how many there were; none where there is no such topic.
    private func read(
        _ topic: String, _ configuration: KafkaConfiguration, _ visit: (KafkaRecord) -> Void
    ) throws(KithError) -> Int {
        let consumer = try KafkaConsumer(configuration: configuration)
        guard let partitions = try consumer.partitionCount(of: topic) else { return 0 }
        var looked = 0
        for partition in 0..<partitions {
            let range = try consumer.offsets(of: topic, partition: partition)
            guard !range.isEmpty else { continue }
            try consumer.assign(topic: topic, partitions: partition..<partition + 1, from: .offset(range.lowerBound))
            var next = range.lowerBound
            // Control records of transactions end a partition, and are never given: quiet means the end.
            while next < range.upperBound {
                let records = try consumer.poll(milliseconds: Limits.kafkaRequestMilliseconds)
                if records.isEmpty { break }
                for record in records where record.offset < range.upperBound { visit(record) }
                looked += records.count
                next = (records.last?.offset ?? next) + 1
            }
        }
        return looked
    }
}

/// An id in JSON: a number or a text.
private struct JSONID: Decodable {
    let text: String
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(UInt64.self) { text = "\(number)" } else { text = try value.decode(String.self) }
    }
}

/// A value that is there, and not null.
private struct Present: Decodable {
    init(from decoder: any Decoder) {}
}
