import KithCore
import KithStorage

/// One shard: its state, its change log, its points, its request ids and cursors, and its spaces.
struct ShardCheck {
    private let recovery: ShardRecovery
    private let id: ShardID
    private let database: Database
    private let place: String

    init(_ recovery: ShardRecovery, place: String) {
        self.recovery = recovery
        self.place = place
        id = recovery.id
        database = recovery.database
    }

    func run(_ report: inout CheckReport) {
        guard let state = report.attempt(place, { _ throws(KithError) in try recovery.storedState() }) else { return }
        report.found(place, "position \(state.position), \(state.points) points")
        var spaces: [SpaceCheck] = []
        for (number, space) in recovery.definition.spaces.enumerated() {
            let check = SpaceCheck(
                space, slotCount: state.nextSlots[number], directory: "\(recovery.directory)/\(number)",
                place: "\(place)/space '\(space.name)'")
            check.run(recovery.registry, state, &report)
            spaces.append(check)
        }
        _ = report.attempt("\(place)/log") { report throws(KithError) in try log(state, spaces, &report) }
        _ = report.attempt("\(place)/points") { report throws(KithError) in try points(state, spaces, &report) }
        _ = report.attempt("\(place)/requests") { _ throws(KithError) in try requests(state) }
        _ = report.attempt("\(place)/cursors") { _ throws(KithError) in try cursors(state) }
        for space in spaces { space.finish(&report) }
    }

    private static func damaged(_ description: String) -> KithError { KithError(.dataLoss, .corruption, description) }

    /// Every commit from the first to the last, none missing, and every vector that one names.
    private func log(_ state: ShardState, _ spaces: [SpaceCheck], _ report: inout CheckReport) throws(KithError) {
        let rows = try database.iterator(
            .changes, from: Keys.shard(id), below: Keys.end(of: id), readahead: ShardCheck.readahead)
        var expected = state.firstPosition
        var bytes: UInt64 = 0
        while rows.isValid {
            guard rows.key.count == Keys.shardBytes + 8 else { throw ShardCheck.damaged("a key has \(rows.key.count) bytes") }
            let position = Keys.position(ofCommitKey: rows.key)
            guard position <= state.position else {
                throw ShardCheck.damaged("the commit \(position) is after the last one, \(state.position)")
            }
            guard position == expected else {
                throw ShardCheck.damaged("the commit \(expected) is missing; the next is \(position)")
            }
            let commit = try Commit(position: position, decoding: rows.value)
            for image in commit.changes.flatMap({ [$0.before, $0.after] }) {
                for vector in image?.vectors ?? [] {
                    try space(of: vector, spaces).checkVector(vector, "the commit \(position)", &report)
                }
            }
            bytes += UInt64(rows.key.count + rows.value.count)
            expected += 1
            try rows.next()
        }
        guard expected == state.position + 1 else {
            throw ShardCheck.damaged("the commits \(expected) to \(state.position) are missing")
        }
        guard bytes == state.logBytes else {
            throw ShardCheck.damaged("the log has \(bytes) bytes, its state says \(state.logBytes)")
        }
        report.found("\(place)/log", "commits \(state.firstPosition) to \(state.position), \(bytes) bytes")
    }

    /// Every point, its vectors, and what recovery makes of them.
    private func points(_ state: ShardState, _ spaces: [SpaceCheck], _ report: inout CheckReport) throws(KithError) {
        let recovered = report.attempt(place) { _ throws(KithError) in try recovery.open().shard }
        let rows = try database.iterator(.points, from: Keys.shard(id), below: Keys.end(of: id), readahead: ShardCheck.readahead)
        var count: UInt64 = 0
        while rows.isValid {
            let encodedID = UnsafeRawBufferPointer(rebasing: rows.key.dropFirst(Keys.shardBytes))
            guard let point = PointID(encoded: encodedID) else { throw ShardCheck.damaged("the key of a point is no id") }
            let image = try PointImage(decoding: rows.value)
            if image.version > state.version {
                report.problem(
                    "\(place)/points", "point \(point) has version \(image.version), the last one given is \(state.version)")
            }
            for vector in image.vectors {
                let space = try space(of: vector, spaces)
                try space.checkVector(vector, again: true, "point \(point)", &report)
                space.claim(vector.slot, point, version: image.version, recovered?.spaces[Int(vector.space)].rows, &report)
            }
            count += 1
            try rows.next()
        }
        guard count == state.points else { throw ShardCheck.damaged("there are \(count) points, the state says \(state.points)") }
        if let recovered {
            for (number, space) in spaces.enumerated() { space.checkDead(recovered.spaces[number].rows, &report) }
        }
    }

    private func space(of vector: PointImage.VectorReference, _ spaces: [SpaceCheck]) throws(KithError) -> SpaceCheck {
        guard Int(vector.space) < spaces.count else {
            throw ShardCheck.damaged("a vector is of space \(vector.space), and there are \(spaces.count)")
        }
        return spaces[Int(vector.space)]
    }

    private func requests(_ state: ShardState) throws(KithError) {
        let rows = try database.iterator(
            .requests, from: Keys.shard(id), below: Keys.end(of: id), readahead: ShardCheck.readahead)
        while rows.isValid {
            let position: LogPosition
            switch rows.key.dropFirst(Keys.shardBytes).first {
            case UInt8(ascii: "r"): position = try CommitReply(replaying: rows.value).position
            case UInt8(ascii: "t") where rows.value.count >= 8: position = rows.value.littleEndian(at: 0)
            case UInt8(ascii: "p") where rows.key.count >= Keys.shardBytes + 9: position = Keys.position(ofAgeKey: rows.key)
            default: throw ShardCheck.damaged("a row is neither an answer nor a stream")
            }
            guard position <= state.position else {
                throw ShardCheck.damaged("an answer tells of the commit \(position), the last one is \(state.position)")
            }
            try rows.next()
        }
    }

    private func cursors(_ state: ShardState) throws(KithError) {
        let bounds = Keys.cursors(id)
        let rows = try database.iterator(.meta, from: bounds.from, below: bounds.below)
        while rows.isValid {
            let name = String(decoding: rows.key.dropFirst(bounds.from.count), as: UTF8.self)
            guard rows.value.count == 8 else { throw ShardCheck.damaged("the cursor '\(name)' has \(rows.value.count) bytes") }
            let position: LogPosition = rows.value.littleEndian(at: 0)
            guard position <= state.position else {
                throw ShardCheck.damaged("the cursor '\(name)' is at \(position), the last commit is \(state.position)")
            }
            try rows.next()
        }
    }

    /// Bytes read ahead: everything is read once, in order.
    private static let readahead = 4 << 20
}
