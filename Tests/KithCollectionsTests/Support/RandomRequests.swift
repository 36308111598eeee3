import KithCollections
import KithCore
import TestSupport

/// Seeded requests of every kind, with many collisions: few points, repeated points, repeated request ids.
struct RandomRequests {
    var random: SeededGenerator
    let dimensions: [Int]
    let ids: [PointID]
    private var requests = 0
    private var sent: [(requestID: String, operations: [Model.Operation])] = []

    init(seed: UInt64, dimensions: [Int], pointCount: Int) {
        random = SeededGenerator(seed: seed)
        self.dimensions = dimensions
        ids = (0..<pointCount).map { number in
            switch number % 4 {
            case 0: .number(UInt64(number))
            case 1: .uuid(.init(high: UInt64(number) << 40, low: ~UInt64(number)))
            case 2: .string("p\(number)")
            default: .string(String(repeating: "long-\(number)-", count: 8))
            }
        }
    }

    /// The next request; now and then one sent before.
    mutating func next(_ model: Model) -> (requestID: String, operations: [Model.Operation]) {
        if !sent.isEmpty, random.chance(10) { return sent[random.below(sent.count)] }
        requests += 1
        let known = model.points
        let operations = (0..<1 + random.below(12)).map { _ in operation(known) }
        let requestID = random.chance(30) ? "request-\(requests)" : ""
        if !requestID.isEmpty { sent.append((requestID, operations)) }
        return (requestID, operations)
    }

    private mutating func operation(_ known: [PointID: Model.Point]) -> Model.Operation {
        let id = ids[random.below(ids.count)]
        var operation = Model.Operation(id: id, action: action())
        if random.chance(15) { operation.ifVersion = random.chance(70) ? known[id]?.version ?? 0 : UInt64(random.below(50)) }
        return operation
    }

    private mutating func action() -> Model.Action {
        switch random.below(10) {
        case 0...4:
            let mode: WriteMode = random.chance(70) ? .upsert : random.chance(50) ? .insertOnly : .updateOnly
            let payload = random.chance(20) ? "" : Model.PayloadEdit.text(values())
            return .upsert(mode, payload: payload, vectors: vectors())
        case 5: return .delete
        case 6, 7: return .updatePayload(edit())
        default:
            let set = vectors()
            return .updateVectors(set: set, remove: dimensions.indices.filter { set[$0] == nil && random.chance(30) })
        }
    }

    private mutating func vectors() -> [Int: [Float]] {
        var chosen: [Int: [Float]] = [:]
        for (space, dimension) in dimensions.enumerated() where random.chance(80) { chosen[space] = random.vector(dimension) }
        return chosen
    }

    private mutating func values() -> [String: Int] {
        var values: [String: Int] = [:]
        for key in ["a", "b", "c", "d"] where random.chance(50) { values[key] = random.below(1_000) }
        return values
    }

    private mutating func edit() -> Model.PayloadEdit {
        switch random.below(5) {
        case 0: return .set(values())
        case 1:
            var patch: [String: Int?] = [:]
            for (key, value) in values() { patch[key] = random.chance(40) ? .some(nil) : value }
            return .merge(patch)
        case 2: return .replace(values())
        case 3: return .deleteKeys(Array(values().keys))
        default: return .clear
        }
    }
}

extension WriteRequest {
    /// What the model does, for the engine.
    convenience init(_ operations: [Model.Operation]) {
        self.init()
        for operation in operations { add(operation.id, action(operation.action), ifVersion: operation.ifVersion) }
    }

    private func action(_ action: Model.Action) -> Operation.Action {
        switch action {
        case .upsert(let mode, let payload, let vectors):
            .upsert(mode, payload: view(payload.utf8), vectors: writes(vectors))
        case .delete: .delete
        case .updatePayload(let edit): .updatePayload(change(edit))
        case .updateVectors(let set, let remove): .updateVectors(set: writes(set), remove: remove)
        }
    }

    private func writes(_ vectors: [Int: [Float]]) -> [VectorWrite] {
        vectors.sorted { $0.key < $1.key }.map { VectorWrite(space: $0.key, bytes: view($0.value)) }
    }

    private func change(_ edit: Model.PayloadEdit) -> PayloadChange {
        switch edit {
        case .set(let values): .set(view(Model.PayloadEdit.text(values).utf8))
        case .merge(let values): .merge(view(Model.PayloadEdit.text(values).utf8))
        case .replace(let values): .replace(view(Model.PayloadEdit.text(values).utf8))
        case .deleteKeys(let keys): .deleteKeys(keys.map { view($0.utf8) })
        case .clear: .clear
        }
    }
}
