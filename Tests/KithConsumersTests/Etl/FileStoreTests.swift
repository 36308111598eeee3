import Foundation
import KithCommands
import KithConsumers
import KithCore
import KithTelemetry
import TestSupport
import Testing

/// Changes in files: all of them, once, in order.
@Suite struct FileStoreTests {
    private struct Line: Decodable {
        var event: String
        var op: String
        var id: Int
        var version: Int
    }

    private func loader(_ folder: String, _ format: any RowFormat, fileBytes: Int = 1 << 30) throws -> ChangeLoader {
        ChangeLoader(
            try FileStore(folder, format: format, fileBytes: fileBytes), deadLetters: DeadLetterList(), metrics: ConsumerMetrics()
        )
    }

    private func lines(_ folder: String, _ topic: ChangeTopic) throws -> [[Line]] {
        try (0..<topic.partitions).map { partition in
            try dataFiles(folder, topic.name, partition).flatMap { path in
                try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
                    try JSONDecoder().decode(Line.self, from: Data($0.utf8))
                }
            }
        }
    }

    @Test func everyChangeIsThereOnceAndInOrder() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic()
        var generator = SeededGenerator(seed: 1)
        for round in 0..<2 {
            topic.write(150, &generator)
            try followToEnd(topic, into: try loader(folder.path, JSONLinesFormat(vectors: .none), fileBytes: 4_000))
            let lines = try lines(folder.path, topic)
            #expect(lines.map { $0.map(\.event) } == topic.eventIDs, "round \(round)")
            var versions: [String: Int] = [:]
            for line in lines.joined() { versions["\(line.id)"] = line.op == "delete" ? nil : line.version }
            #expect(versions == topic.points.mapValues(\.version))
        }
        #expect(try dataFiles(folder.path, topic.name, 0).count > 1)
    }

    @Test func whatAnEarlierProcessLeftHalfWrittenGoes() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<2 {
            topic.write(60, &generator)
            try followToEnd(topic, into: try loader(folder.path, JSONLinesFormat(vectors: .none)))
            let last = try #require(try dataFiles(folder.path, topic.name, 0).last)
            let handle = try #require(FileHandle(forWritingAtPath: last))
            handle.seekToEndOfFile()
            handle.write(Data(#"{"event":"half"#.utf8))
            try handle.close()
            // A file that was begun and never counted.
            try Data("x".utf8).write(to: URL(filePath: last.replacing("00000001", with: "00000002")))
        }
        topic.write(60, &generator)
        try followToEnd(topic, into: try loader(folder.path, JSONLinesFormat(vectors: .none)))
        #expect(try lines(folder.path, topic).map { $0.map(\.event) } == topic.eventIDs)
    }

    @Test func eventsThatComeAgainAreLeftOut() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        func event(_ position: Int) -> String {
            """
            {"id":"kith/1.0/\(position)/0","op":"CHANGE_OPERATION_CREATE","after":{"id":{"number":"\(position)"},"version":"1"},
            "source":{"collection":"docs","collectionId":1,"position":"\(position)"}}
            """
        }
        for position in [1, 2, 3, 2, 3, 4] { topic.send(0, key: "k", value: event(position)) }
        topic.flush()
        let metrics = ConsumerMetrics()
        let store = try FileStore(folder.path, format: JSONLinesFormat(vectors: .none), fileBytes: 1 << 20)
        let loader = ChangeLoader(store, deadLetters: DeadLetterList(), metrics: metrics)
        try followToEnd(topic, into: loader, batch: 2)
        #expect(try lines(folder.path, topic)[0].map(\.id) == [1, 2, 3, 4])
        #expect(metrics.duplicates.current == 2)
    }

    @Test func pointsOfASnapshotShareTheirPlace() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        func send(_ op: String, _ point: Int, _ position: Int) {
            topic.send(
                0, key: "\(point)",
                value: """
                    {"id":"kith/1.0/\(position)/\(op)/\(point)","op":"CHANGE_OPERATION_\(op)","after":{"id":{"number":"\(point)"}},
                    "source":{"collection":"docs","collectionId":1,"position":"\(position)"}}
                    """)
        }
        for point in 1...3 { send("READ", point, 7) }
        // Part of the snapshot, then news, then an older snapshot that came again.
        send("UPDATE", 1, 7)
        send("UPDATE", 2, 8)
        send("READ", 3, 7)
        topic.flush()
        try followToEnd(topic, into: try loader(folder.path, JSONLinesFormat(vectors: .none)))
        #expect(try lines(folder.path, topic)[0].map { "\($0.op) \($0.id)" } == ["read 1", "read 2", "read 3", "update 2"])
    }

    @Test func badRecordsAreBuriedAndTheOthersGoOn() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        topic.change(2, "{}")
        topic.send(0, key: "bad", value: "{")
        topic.send(0, key: "odd", value: "<xml/>", type: "application/xml")
        topic.send(0, key: "empty", value: #"{"id":"x","op":"CHANGE_OPERATION_CREATE","source":{"position":"1"}}"#)
        topic.change(4, "{}")
        topic.flush()
        let letters = DeadLetterList()
        let store = try FileStore(folder.path, format: JSONLinesFormat(vectors: .none), fileBytes: 1 << 20)
        try followToEnd(topic, into: ChangeLoader(store, deadLetters: letters, metrics: ConsumerMetrics()))
        #expect(try lines(folder.path, topic).map { $0.map(\.event) } == topic.eventIDs)
        #expect(letters.letters.map(\.record.offset) == [1, 2, 3])
        #expect(letters.letters.map { $0.reason.isEmpty } == [false, false, false])
    }

    @Test func framesOfASchemaRegistryAreTakenOff() throws {
        let message: [UInt8] = [10, 1, 65]
        #expect(try EventValue.unframed(message, isProtobuf: true) == message)
        #expect(try EventValue.unframed([0, 0, 0, 0, 7, 0] + message, isProtobuf: true) == message)
        #expect(try EventValue.unframed([0, 0, 0, 0, 7, 2, 4] + message, isProtobuf: true) == message)
        #expect(try EventValue.unframed([0, 0, 0, 0, 7, 123], isProtobuf: false) == [123])
        for cut in 1..<6 {
            #expect(throws: Poison.self) { try EventValue.unframed(Array([0, 0, 0, 0, 7, 0x82].prefix(cut)), isProtobuf: true) }
        }
    }

    @Test func aGapStopsUntilSomebodyDecides() throws {
        let folder = try TemporaryFolder()
        let place = TopicPartition("kith.changes.v1.docs", 0)
        let gap = ConsumedRecord(
            place: place, offset: 0, key: nil, value: [], headers: [("ce_type", Array(ChangeRecord.gapType.utf8))])
        let letters = DeadLetterList()
        for passes in [false, true] {
            let loader = ChangeLoader(
                try FileStore(folder.path, format: JSONLinesFormat(vectors: .none), fileBytes: 1), deadLetters: letters,
                metrics: ConsumerMetrics(), passesGaps: passes)
            _ = try loader.take([place])
            if passes {
                try loader.add(gap)
                #expect(try loader.commit() == [place: 1])
            } else {
                let error = #expect(throws: KithError.self) { try loader.add(gap) }
                #expect(error?.reason == .positionTrimmed)
            }
            loader.release()
        }
        #expect(letters.letters.count == 1)
    }

    @Test func onlyOneProcessWritesAPartition() throws {
        let folder = try TemporaryFolder()
        let first = try FileStore(folder.path, format: JSONLinesFormat(vectors: .none), fileBytes: 1)
        let second = try FileStore(folder.path, format: JSONLinesFormat(vectors: .none), fileBytes: 1)
        let place = TopicPartition("t", 0)
        _ = try first.take([place])
        #expect(throws: KithError.self) { try second.take([place]) }
        first.release()
        _ = try second.take([place])
    }
}
