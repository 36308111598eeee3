import Foundation
public import KithCore
import KithStorage
import Synchronization

/// Erasures: asked for here, carried out by `Eraser`.
extension Governance {
    /// In order of name; those of one collection where one is given.
    public func erasures(of collection: UInt32? = nil) -> [Erasure] {
        state.withLock { $0.erasures.values.filter { collection == nil || $0.collectionID == collection } }
            .sorted { $0.name < $1.name }
    }

    /// - Throws: `ERASURE_NOT_FOUND`, about `field`.
    public func erasure(_ name: String, field: String = "erasure") throws(KithError) -> Erasure {
        guard let erasure = state.withLock({ $0.erasures[name] }) else {
            throw Governance.missing("erasure", name, .erasureNotFound, field: field)
        }
        return erasure
    }

    /// Takes a request for an erasure. When it returns, the request is on disk, and will be carried out.
    ///
    /// - Throws: `LEGAL_HOLD` where one of the points is held.
    /// - Complexity: O(points of the collection) where they are named by a payload field.
    public func request(
        _ wanted: Erasure, on collection: Collection, _ request: GovernanceRequest
    ) throws(KithError) -> Erasure {
        try wanted.check()
        let what = "erasure \(wanted.name)"
        if try isDone(request, what) { return try erasure(wanted.name, field: "erasure.name") }
        let ids = try Governance.points(of: wanted, in: collection)
        deciding.lock()
        defer { deciding.unlock() }
        if try isDone(request, what) { return try erasure(wanted.name, field: "erasure.name") }
        let (isTaken, count) = state.withLock { ($0.erasures[wanted.name] != nil, $0.erasures.count) }
        if isTaken {
            throw KithError(
                .alreadyExists, .erasureExists, "erasure.name: '\(wanted.name)' was used before; names of erasures are used once",
                metadata: ["erasure": wanted.name],
                violations: [.init(field: "erasure.name", description: "'\(wanted.name)' was used before")])
        }
        try Governance.check(count, Limits.erasures, of: "erasures")
        if let held = try collection.heldPoint(among: ids) { throw .held(held.id, by: held.hold) }
        var erasure = wanted
        erasure.requested = UInt64(ids.count)
        erasure.requestedAt = Governance.now()
        let batch = store.makeBatch()
        let points = ErasedPoints(erasure: erasure.name, store: store)
        for (row, first) in stride(from: 0, to: ids.count, by: ErasedPoints.rowPoints).enumerated() {
            try points.put(Array(ids[first..<min(first + ErasedPoints.rowPoints, ids.count)]), row: row, into: batch)
        }
        try store.put(erasure, .erasure, key: Array(erasure.name.utf8), into: batch)
        let made = erasure
        try decide(batch, [.erasureRequested(made)], request, what, at: made.requestedAt) { $0.erasures[made.name] = made }
        return made
    }

    /// The points that an erasure is of, each once.
    static func points(of erasure: Erasure, in collection: Collection) throws(KithError) -> [PointID] {
        switch erasure.held {
        case .points(let ids):
            var seen: Set<PointID> = []
            return ids.filter { seen.insert($0).inserted }
        case .field(let path, let value):
            let found = try collection.points(with: value, at: path, limit: Limits.erasurePoints)
            guard found.count <= Limits.erasurePoints else {
                throw .limit(field: "erasure", value: found.count, limit: Limits.erasurePoints, unit: "points")
            }
            return found
        case .whole, nil: return []
        }
    }

    /// The ids of an erasure that is under way, as the store has them.
    func erasedPoints(of erasure: Erasure) -> ErasedPoints { ErasedPoints(erasure: erasure.name, store: store) }

    /// Notes how far an erasure has come.
    ///
    /// - Parameters:
    ///   - added: a further row of ids.
    ///   - rows: rows of ids that go.
    func note(_ erasure: Erasure, adding added: (ids: [PointID], row: Int)? = nil, removing rows: Int = 0) throws(KithError) {
        deciding.lock()
        defer { deciding.unlock() }
        let batch = store.makeBatch()
        let points = erasedPoints(of: erasure)
        if let added { try points.put(added.ids, row: added.row, into: batch) }
        try points.remove(rows: rows, into: batch)
        try store.put(erasure, .erasure, key: Array(erasure.name.utf8), into: batch)
        let request = GovernanceRequest(context: try store.describer?.systemContext("erasure"))
        try decide(batch, erasure.stage == .proved ? [.erasureProved(erasure)] : [], request, "", at: Governance.now()) {
            $0.erasures[erasure.name] = erasure
        }
    }
}
