import Foundation
import KithAPI
import KithCore
import KithEvents

/// The story that `kith demo` tells, step by step; each step checks what it shows.
struct Demo {
    static let collection = "dictionary"

    let dictionary: WordDictionary
    let folder: String
    let stage: DemoStage
    var report = DemoReport()

    init(dictionary: WordDictionary, folder: String, stage: DemoStage) {
        self.dictionary = dictionary
        self.folder = folder
        self.stage = stage
    }

    /// Answers how many checks failed.
    mutating func play() throws(KithError) -> Int {
        Console.print("Kith \(Version.text): \(grouped(dictionary.entries.count)) English words, found by what they mean")
        report.begin("Start a server")
        let broker = try DemoBroker(
            folder: folder, collection: Demo.collection, environment: ProcessInfo.processInfo.environment)
        stage.set(broker: broker)
        let server = try DemoServer(folder: folder, brokers: broker.address, topicPrefix: broker.topicPrefix)
        stage.set(server: server)
        for line in server.announcement.dropFirst() { Console.print("   \(line.drop { $0 == " " })") }
        Console.print("          which is \(broker.name)")

        try createCollection(server.client)
        let listener = try ChangeListener(server.client, collection: Demo.collection)
        try streamIn(server.client)
        try search(server.client)
        let changed = try change(server.client)
        let reader = try TopicReader(broker, collection: Demo.collection)
        try showChanges(listener, reader, expected: dictionary.entries.count + changed.versions.count + changed.deleted.count)

        let crash = DemoCrash(demo: self, broker: broker, changed: changed)
        report = try crash.play(server, reader)
        return report.failures
    }

    // MARK: Steps

    private mutating func createCollection(_ client: KithClient) throws(KithError) {
        report.begin("Create a collection")
        var space = NewCollection.Space(dimension: WordDictionary.dimension, elementType: ElementType.float32.wireName)
        space.metric = Metric.cosine.wireName
        space.index = NewCollection.Index(kind: IndexDefinition.defaultKind)
        space.model = NewCollection.Model(id: WordDictionary.model)
        var collection = try NewCollection(Demo.collection, Arguments.none, dimension: nil)
        collection.description = "Words and what they mean"
        collection.vectorSpaces = [space]
        try collection.create(client)
        let shape = "\(WordDictionary.dimension) x float32, cosine, \(IndexDefinition.defaultKind)"
        report.fact(Demo.collection, "\(shape); vectors by \(WordDictionary.model)")
    }

    private mutating func streamIn(_ client: KithClient) throws(KithError) {
        report.begin("Stream the words in")
        let clock = ContinuousClock()
        let began = clock.now
        let refused = Refusals()
        let stream = try ClientUpsertStream(
            client, collection: Demo.collection,
            handlers: ClientUpsertStream.Handlers(acknowledged: { _ in }, failed: { refused.add($0, $1) }))
        for entry in dictionary.entries { try stream.send(Demo.upsert(entry.id, entry.vector, entry.payload)) }
        try stream.close()
        let time = clock.now - began
        let perSecond = Int(Double(dictionary.entries.count) / (time / .seconds(1)))
        report.fact("streamed", "\(grouped(dictionary.entries.count)) points in \(seconds(time)), \(grouped(perSecond)) a second")
        report.check(refused.first == nil, "every point was acknowledged: on disk, and searchable at once\(refused.text)")
        let count = try client.count(Demo.collection)
        report.check(count == dictionary.entries.count, "the collection counts \(grouped(count)) points")
    }

    private mutating func search(_ client: KithClient) throws(KithError) {
        report.begin("Search by meaning")
        for word in ["music", "hospital", "garden", "soldier"] {
            let entry = try dictionary.entry(word)
            var query = ClientQuery(.point(entry.id))
            query.topK = 5
            report.fact(word, try Demo.words(try client.search(Demo.collection, query)))
        }
        for sum in [["baby", "dog"], ["ship", "war"]] {
            try searchSum(client, plus: sum, minus: nil)
        }
        try searchSum(client, plus: ["uncle", "woman"], minus: "man")
        try checkRecall(client)
    }

    /// Meanings can be added and taken away, as vectors.
    private func searchSum(_ client: KithClient, plus: [String], minus: String?) throws(KithError) {
        var sum = [Float](repeating: 0, count: WordDictionary.dimension)
        for (word, sign) in plus.map({ ($0, Float(1)) }) + (minus.map { [($0, Float(-1))] } ?? []) {
            for (place, value) in try dictionary.entry(word).vector.enumerated() { sum[place] += sign * value }
        }
        var query = ClientQuery(.vector(ClientVector(.floats(sum))))
        query.topK = 5 + plus.count + 1
        let own = Set(plus + [minus].compactMap(\.self))
        var found: [ClientPoint] = []
        for point in try client.search(Demo.collection, query) where !own.contains(try WordDictionary.payload(point.payload).word)
        {
            found.append(point)
        }
        let name = ([plus[0]] + (minus.map { ["- \($0)"] } ?? []) + ["+ \(plus[1])"]).joined(separator: " ")
        report.fact(name, try Demo.words(Array(found.prefix(5))))
    }

    /// The index against the exact answer.
    private mutating func checkRecall(_ client: KithClient) throws(KithError) {
        var found = 0
        let sample = stride(from: 0, to: dictionary.entries.count, by: 50).map { dictionary.entries[$0] }
        for entry in sample {
            var query = ClientQuery(.point(entry.id))
            query.payload = false
            let quick = Set(try client.search(Demo.collection, query).map(\.id))
            query.exact = true
            found += try client.search(Demo.collection, query).count { quick.contains($0.id) }
        }
        let recall = Double(found) / Double(sample.count * 10)
        report.check(
            recall >= 0.95, "the index finds \(decimal(recall * 100, 1)) % of the ten nearest, over \(sample.count) words")
    }

    /// What was changed, to be looked for after the crash.
    struct Changed {
        var versions: [PointID: UInt64] = [:]
        var deleted: [PointID] = []
    }

    private mutating func change(_ client: KithClient) throws(KithError) -> Changed {
        report.begin("Update and delete")
        let updates = ["music", "hospital"]
        let deletions = ["garden"]
        var operations: [ClientOperation] = []
        for word in updates {
            operations.append(ClientOperation(id: try dictionary.entry(word).id, .mergePayload("{\"learned\":true}")))
        }
        for word in deletions { operations.append(ClientOperation(id: try dictionary.entry(word).id, .delete)) }
        let answer = try client.write(Demo.collection, operations, requestID: "demo-changes")
        let again = try client.write(Demo.collection, operations, requestID: "demo-changes")
        var changed = Changed()
        for (operation, outcome) in zip(operations, answer.outcomes) {
            switch outcome.result {
            case .updated: changed.versions[operation.id] = outcome.version
            case .deleted: changed.deleted.append(operation.id)
            case .created, .notFound, .failed: break
            }
        }
        report.fact("updated", updates.joined(separator: ", "))
        report.fact("deleted", deletions.joined(separator: ", "))
        report.check(changed.versions.count == updates.count && changed.deleted.count == deletions.count, "in one commit")
        report.check(again.replayed && again.outcomes == answer.outcomes, "the repeated request was not done twice")
        return changed
    }

    private mutating func showChanges(_ listener: ChangeListener, _ reader: TopicReader, expected: Int) throws(KithError) {
        report.begin("See the changes that others see")
        try Waiting.until(seconds: 20, "Subscribe has sent \(expected) events") { listener.heard.count >= expected }
        let heard = listener.heard
        listener.cancel()
        report.fact("Subscribe", "\(grouped(heard.count)) events; the last ones:")
        for event in heard.suffix(3) { Console.print("     \(try Demo.text(event))") }
        try reader.read(until: Set(heard.map(\.id)))
        report.fact("Kafka", "\(grouped(reader.events.count)) records of topic \(reader.topic); the last one:")
        if let record = reader.records.last {
            let names = ["ce_type", "ce_subject", "ce_id"]
            Console.print("     \(names.map { "\($0)=\(record.header($0) ?? "?")" }.joined(separator: " "))")
        }
        report.check(heard.count == expected, "Subscribe sent each change once")
        report.check(heard.map(\.id) == reader.events.map(\.id), "Kafka has the same events in the same order")
    }

    // MARK: Pieces

    static func upsert(_ id: PointID, _ vector: [Float], _ payload: String) -> ClientOperation {
        ClientOperation(id: id, .upsert(vectors: [ClientVector(.floats(vector))], payload: payload, mode: .upsert))
    }

    /// Such as `song 0.71, melody 0.68`.
    private static func words(_ points: [ClientPoint]) throws(KithError) -> String {
        var texts: [String] = []
        for point in points {
            texts.append("\(try WordDictionary.payload(point.payload).word) \(decimal(Double(point.score), 2))")
        }
        return texts.joined(separator: ", ")
    }

    private static func text(_ event: ChangeEventMessage) throws(KithError) -> String {
        let image = event.after ?? event.before
        let word = try image?.payloadJson.map { (json) throws(KithError) in try WordDictionary.payload(json).word } ?? ""
        let fields = event.changedFields.map { ", changed: \($0.joined(separator: ", "))" } ?? ""
        return "\(pad(event.operation, 7))\(word)\(fields)  (\(event.id))"
    }
}
