import KithCore
import KithStorage

/// `apply`: the only mutator. Total and deterministic: it reads the rows it is given, and writes into the group.
extension CommitGroup {
    /// Decides and records one command at the next position. What fails changes nothing and says so in its outcome.
    mutating func apply(_ command: Command, to shard: ShardID) throws(KithError) -> CommitReply {
        let position = state.position + 1
        changeCount = 0
        logRow.removeAll(keepingCapacity: true)
        var outcomes: [WriteOutcome] = []
        outcomes.reserveCapacity(command.operations.count)
        for operation in command.operations { outcomes.append(try apply(operation, to: shard, at: position)) }
        if changeCount > 0 { commit(command, to: shard, at: position) }
        let reply = CommitReply(outcomes: outcomes, position: state.position)
        if !command.requestID.isEmpty { remember(command.requestID, reply, in: shard) }
        return reply
    }

    /// Writes the commit's row of the change log.
    private mutating func commit(_ command: Command, to shard: ShardID, at position: LogPosition) {
        var header: [UInt8] = []
        Commit.encodeHeader(time: command.time, requestID: command.requestID, changeCount: changeCount, into: &header)
        let key = Keys.commit(shard, position)
        header.withUnsafeBytes { header in
            logRow.withUnsafeBytes { changes in
                key.withUnsafeBytes { key in
                    batch.put(.changes, key: key, parts: [ByteView(header), ByteView(changes)])
                }
            }
        }
        state.position = position
        state.logBytes += UInt64(key.count + header.count + logRow.count)
    }

    private mutating func remember(_ requestID: String, _ reply: CommitReply, in shard: ShardID) {
        batch.put(.requests, key: Keys.request(shard, requestID), value: reply.encoded)
        batch.put(.requests, key: Keys.requestAge(shard, reply.position), value: Array(requestID.utf8))
        requests[requestID] = reply
    }

    // MARK: One operation

    private mutating func apply(
        _ operation: Operation, to shard: ShardID, at position: LogPosition
    ) throws(KithError) -> WriteOutcome {
        let row = points[operation.id]?.row
        let current: PointImage?
        if let row { current = try PointImage(decoding: row.bytes) } else { current = nil }
        if let expected = operation.ifVersion, expected != current?.version ?? 0 {
            return WriteOutcome(.failed, version: current?.version ?? 0, error: .versionMismatch)
        }
        switch operation.action {
        case .upsert(let mode, let payload, let vectors):
            if mode == .insertOnly, let current {
                return WriteOutcome(.failed, version: current.version, error: .pointExists)
            }
            if mode == .updateOnly, current == nil { return WriteOutcome(.failed, error: .pointNotFound) }
            let references = try place(vectors)
            return put(operation.id, payload: payload, references, replacing: current, row, in: shard, at: position)
        case .delete:
            guard let current, let row else { return WriteOutcome(.notFound) }
            delete(operation.id, current, row, in: shard, at: position)
            return WriteOutcome(.deleted)
        case .updatePayload(let change):
            guard let current else { return WriteOutcome(.failed, error: .pointNotFound) }
            let edited = try PayloadEditor.apply(change, to: current.payload)
            guard edited.bytes.count <= Limits.payloadBytes else {
                return WriteOutcome(.failed, version: current.version, error: .limitExceeded)
            }
            return edited.bytes.withUnsafeBytes { payload in
                put(
                    operation.id, payload: ByteView(payload), current.vectors, replacing: current, row, in: shard,
                    at: position)
            }
        case .updateVectors(let set, let remove):
            guard let current else { return WriteOutcome(.failed, error: .pointNotFound) }
            let replaced = set.map(\.space) + remove
            let kept = current.vectors.filter { !replaced.contains(Int($0.space)) }
            let references = (kept + (try place(set))).sorted { $0.space < $1.space }
            return put(operation.id, payload: current.payload, references, replacing: current, row, in: shard, at: position)
        }
    }

    /// Gives each vector the next slot of its space.
    private mutating func place(_ writes: [VectorWrite]) throws(KithError) -> [PointImage.VectorReference] {
        var references: [PointImage.VectorReference] = []
        references.reserveCapacity(writes.count)
        for write in writes {
            let slot = state.nextSlots[write.space]
            guard slot < Limits.slots else {
                throw KithError(.resourceExhausted, .limitExceeded, "a shard's vector space is out of slots")
            }
            state.nextSlots[write.space] = slot + 1
            vectors[write.space].append(write.bytes)
            references.append(
                PointImage.VectorReference(space: UInt8(write.space), slot: slot, digest: checksum64(write.bytes.bytes)))
        }
        return references
    }

    private mutating func put(
        _ id: PointID, payload: ByteView, _ references: [PointImage.VectorReference], replacing current: PointImage?,
        _ before: ByteView?, in shard: ShardID, at position: LogPosition
    ) -> WriteOutcome {
        state.version += 1
        let encodedID = arena.append { id.encode(into: &$0) }
        let image = PointImage(version: state.version, vectors: references, payload: payload)
        let after = arena.append { image.encode(into: &$0) }
        points[id] = PendingRow(row: after)
        record(current == nil ? .create : .update, encodedID, before: before, after: after)
        let key = arena.append { $0 = Keys.shard(shard) + encodedID.bytes }
        batch.put(.points, key: key.bytes, value: after.bytes)
        let old = current?.vectors ?? []
        for reference in references {
            let space = Int(reference.space)
            if old.contains(reference) {
                revisions.append(Revision(space: space, slot: reference.slot, version: image.version))
            } else {
                births.append(
                    Birth(space: space, slot: reference.slot, encodedID: encodedID, version: image.version))
            }
        }
        for reference in old where !references.contains(reference) {
            deaths.append(Death(space: Int(reference.space), slot: reference.slot, position: position))
        }
        if current == nil { state.points += 1 }
        return WriteOutcome(current == nil ? .created : .updated, version: image.version)
    }

    private mutating func delete(
        _ id: PointID, _ current: PointImage, _ before: ByteView, in shard: ShardID, at position: LogPosition
    ) {
        // A deletion has a version too: a point made again later never repeats one.
        state.version += 1
        let encodedID = arena.append { id.encode(into: &$0) }
        points[id] = PendingRow(row: nil)
        record(.delete, encodedID, before: before, after: nil)
        let key = Keys.shard(shard) + encodedID.bytes
        batch.delete(.points, key: key)
        for reference in current.vectors {
            deaths.append(Death(space: Int(reference.space), slot: reference.slot, position: position))
        }
        state.points -= 1
    }

    /// Adds a change to the commit's log row.
    private mutating func record(_ operation: ChangeOperation, _ id: ByteView, before: ByteView?, after: ByteView?) {
        changeCount += 1
        Commit.encodeChange(
            operation, encodedID: id.bytes, before: (before ?? .empty).bytes, after: (after ?? .empty).bytes, into: &logRow)
    }
}

extension CommitReply {
    /// position (8), then for each outcome its result (1), version (varint) and reason (sized).
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(position)
        for outcome in outcomes {
            bytes.append(outcome.result.rawValue)
            bytes.appendVarint(outcome.version)
            bytes.appendSized(outcome.error?.rawValue ?? "")
        }
        return bytes
    }

    /// The first answer, read back for a repeated request.
    init(replaying bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        let position: LogPosition = try reader.littleEndian()
        var outcomes: [WriteOutcome] = []
        while !reader.isAtEnd {
            guard let result = WriteOutcome.Result(rawValue: try reader.byte()) else {
                throw KithError(.dataLoss, .corruption, "a stored answer holds an unknown result")
            }
            outcomes.append(
                WriteOutcome(result, version: try reader.varint(), error: ErrorReason(rawValue: try reader.text())))
        }
        self.init(outcomes: outcomes, position: position, replayed: true)
    }
}
