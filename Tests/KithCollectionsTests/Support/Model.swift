import KithCollections
import KithCore

/// What a collection must be: dictionaries, and the rules of writing once more, in the plainest way.
struct Model {
    struct Point: Equatable {
        var version: UInt64
        var payload: String
        var vectors: [Int: [Float]]
    }

    struct Change: Equatable {
        var operation: ChangeOperation
        var id: PointID
        var before: Point?
        var after: Point?
    }

    struct Commit: Equatable {
        var requestID: String
        var changes: [Change]
    }

    struct Shard {
        var points: [PointID: Point] = [:]
        var version: UInt64 = 0
        var commits: [Commit] = []
        var answers: [String: [WriteOutcome]] = [:]
    }

    /// A payload change as the model understands it: payloads are flat objects of numbers.
    enum PayloadEdit {
        case set([String: Int])
        case merge([String: Int?])
        case replace([String: Int])
        case deleteKeys([String])
        case clear
    }

    enum Action {
        case upsert(WriteMode, payload: String, vectors: [Int: [Float]])
        case delete
        case updatePayload(PayloadEdit)
        case updateVectors(set: [Int: [Float]], remove: [Int])
    }

    struct Operation {
        var id: PointID
        var action: Action
        var ifVersion: UInt64?
    }

    var shards: [Shard]
    let shardNumber: (PointID) -> Int

    init(_ collection: KithCollections.Collection) {
        shards = Array(repeating: Shard(), count: collection.shards.count)
        // Once more in its own words, and without holding the collection, which is to be closed.
        let count = UInt64(shards.count)
        shardNumber = { Int($0.encoded.withUnsafeBytes { checksum64($0) } % count) }
    }

    var points: [PointID: Point] {
        shards.reduce(into: [:]) { all, shard in all.merge(shard.points) { first, _ in first } }
    }

    /// Applies a request; the outcomes in its order.
    mutating func apply(_ operations: [Operation], requestID: String) -> [WriteOutcome] {
        var outcomes = [WriteOutcome](repeating: WriteOutcome(.failed), count: operations.count)
        for number in shards.indices {
            let places = operations.indices.filter { shardNumber(operations[$0].id) == number }
            if places.isEmpty { continue }
            let answers = shards[number].apply(places.map { operations[$0] }, requestID: requestID)
            for (place, answer) in zip(places, answers) { outcomes[place] = answer }
        }
        return outcomes
    }
}

extension Model.Shard {
    mutating func apply(_ operations: [Model.Operation], requestID: String) -> [WriteOutcome] {
        if !requestID.isEmpty, let first = answers[requestID] { return first }
        var commit = Model.Commit(requestID: requestID, changes: [])
        let outcomes = operations.map { operation in
            let before = points[operation.id]
            let outcome = apply(operation)
            let after = points[operation.id]
            switch outcome.result {
            case .created: commit.changes.append(.init(operation: .create, id: operation.id, before: nil, after: after))
            case .updated: commit.changes.append(.init(operation: .update, id: operation.id, before: before, after: after))
            case .deleted: commit.changes.append(.init(operation: .delete, id: operation.id, before: before, after: nil))
            case .notFound, .failed: break
            }
            return outcome
        }
        if !commit.changes.isEmpty { commits.append(commit) }
        if !requestID.isEmpty { answers[requestID] = outcomes }
        return outcomes
    }

    private mutating func apply(_ operation: Model.Operation) -> WriteOutcome {
        let current = points[operation.id]
        func failed(_ reason: ErrorReason) -> WriteOutcome {
            WriteOutcome(.failed, version: current?.version ?? 0, error: reason)
        }
        if let wanted = operation.ifVersion, wanted != current?.version ?? 0 { return failed(.versionMismatch) }
        switch operation.action {
        case .upsert(let mode, let payload, let vectors):
            if mode == .insertOnly, current != nil { return failed(.pointExists) }
            if mode == .updateOnly, current == nil { return failed(.pointNotFound) }
            return put(operation.id, payload, vectors)
        case .delete:
            guard current != nil else { return WriteOutcome(.notFound) }
            version += 1
            points[operation.id] = nil
            return WriteOutcome(.deleted)
        case .updatePayload(let edit):
            guard let current else { return failed(.pointNotFound) }
            return put(operation.id, edit.apply(to: current.payload), current.vectors)
        case .updateVectors(let set, let remove):
            guard let current else { return failed(.pointNotFound) }
            let kept = current.vectors.filter { !remove.contains($0.key) }
            return put(operation.id, current.payload, kept.merging(set) { _, new in new })
        }
    }

    private mutating func put(_ id: PointID, _ payload: String, _ vectors: [Int: [Float]]) -> WriteOutcome {
        version += 1
        let isNew = points[id] == nil
        points[id] = Model.Point(version: version, payload: payload, vectors: vectors)
        return WriteOutcome(isNew ? .created : .updated, version: version)
    }
}

extension Model.PayloadEdit {
    func apply(to payload: String) -> String {
        var values = Model.PayloadEdit.parse(payload)
        switch self {
        case .set(let new): values.merge(new) { _, new in new }
        case .merge(let patch): for (key, value) in patch { values[key] = value }
        case .replace(let new): values = new
        case .deleteKeys(let keys): for key in keys { values[key] = nil }
        case .clear: return ""
        }
        return Model.PayloadEdit.text(values)
    }

    /// Compact, keys sorted: as the engine writes what it has changed.
    static func text(_ values: [String: Int]) -> String {
        "{" + values.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    static func text(_ values: [String: Int?]) -> String {
        "{" + values.map { "\"\($0.key)\":\($0.value.map(String.init) ?? "null")" }.joined(separator: ",") + "}"
    }

    private static func parse(_ text: String) -> [String: Int] {
        var values: [String: Int] = [:]
        for pair in text.dropFirst().dropLast().split(separator: ",") {
            let parts = pair.split(separator: ":")
            values[String(parts[0].dropFirst().dropLast())] = Int(parts[1])
        }
        return values
    }
}
