import CJSON
import KithCore

/// Whether a payload has a value at a path.
enum PayloadMatch {
    /// Whether a text is JSON that a field can be compared with: a text, a number, true or false.
    static func isValue(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { kith_json_is_scalar($0.baseAddress, $0.count) }
    }

    /// - Parameters:
    ///   - path: keys joined by dots; lists on the way stand for each of their elements, a list at its end too.
    ///   - value: as JSON; numbers are compared by value.
    static func has(_ payload: ByteView, path: String, value: String) -> Bool {
        guard !payload.isEmpty else { return false }
        var path = path
        var value = value
        return path.withUTF8 { path in
            value.withUTF8 { value in
                kith_json_matches(
                    payload.bytes.bindMemory(to: UInt8.self).baseAddress, payload.count, path.baseAddress, path.count,
                    value.baseAddress, value.count)
            }
        }
    }
}

/// The time that a payload has at a path.
enum PayloadTime {
    /// Microseconds since 1970; of several times the latest. Nil where there is none.
    ///
    /// - Parameter path: as in `PayloadMatch`.
    static func latest(in payload: ByteView, path: String) -> Int64? {
        guard !payload.isEmpty else { return nil }
        var path = path
        var time: Int64 = 0
        let isThere = path.withUTF8 { path in
            kith_json_time(
                payload.bytes.bindMemory(to: UInt8.self).baseAddress, payload.count, path.baseAddress, path.count, &time)
        }
        return isThere ? time : nil
    }
}

extension LegalHolds {
    /// The hold on a point, whose row is `row`; nil where it is free.
    func hold(on id: PointID, row: ByteView) throws(KithError) -> String? {
        if let whole { return whole }
        if let hold = points[id] { return hold }
        guard !fields.isEmpty else { return nil }
        let payload = try PointImage(decoding: row.bytes).payload
        return fields.first { PayloadMatch.has(payload, path: $0.path, value: $0.value) }?.hold
    }
}

extension CommitGroup {
    /// Why a command cannot be done at all: it touches a point that is held as the command finds it. Nil where it can.
    func refusal(of command: Command) throws(KithError) -> KithError? {
        guard command.purpose != .items, !holds.isEmpty else { return nil }
        for (number, operation) in command.operations.enumerated() {
            guard let row = points[places[applied + number]].row else { continue }
            if let hold = try holds.hold(on: operation.id, row: row) { return .held(operation.id, by: hold) }
        }
        return nil
    }
}

extension Collection {
    /// Those of `ids` that exist and are held now.
    func heldPoints(among wanted: [PointID]) throws(KithError) -> Set<PointID> {
        var held: Set<PointID> = []
        for (number, shard) in shards.enumerated() {
            let holds = shard.holds
            guard !holds.isEmpty else { continue }
            let ids = wanted.filter { shardNumber(of: $0) == number }
            try shard.rows(of: ids, in: shard.current()) { index, row throws(KithError) in
                if let row, try holds.hold(on: ids[index], row: ByteView(row)) != nil { held.insert(ids[index]) }
            }
        }
        return held
    }

    /// The first point among those of `ids` that exist which is held now.
    func heldPoint(among wanted: [PointID]) throws(KithError) -> (id: PointID, hold: String)? {
        for (number, shard) in shards.enumerated() {
            let holds = shard.holds
            guard !holds.isEmpty else { continue }
            let ids = wanted.filter { shardNumber(of: $0) == number }
            var found: (PointID, String)?
            try shard.rows(of: ids, in: shard.current()) { index, row throws(KithError) in
                guard found == nil, let row, let hold = try holds.hold(on: ids[index], row: ByteView(row)) else { return }
                found = (ids[index], hold)
            }
            if let found { return found }
        }
        return nil
    }
}
