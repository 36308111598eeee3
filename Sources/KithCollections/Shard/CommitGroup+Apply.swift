import KithCore
import KithStorage

/// `apply`: the only mutator. Total and deterministic: it reads the rows it is given, and writes into the group.
extension CommitGroup {
    /// Decides and records the next command of the group at the next position. What fails changes nothing and says so in its outcome.
    mutating func apply(_ command: Command) throws(KithError) -> CommitReply {
        let position = state.position + 1
        changeCount = 0
        redaction = command.redaction
        isErasing = command.purpose == .erasure
        if let standing = command.holds { holds = standing }
        logRow.removeAll(keepingCapacity: true)
        var outcomes: [WriteOutcome] = []
        outcomes.reserveCapacity(command.operations.count)
        for (number, operation) in command.operations.enumerated() {
            defer { applied += 1 }
            if isDone(number, of: command) {
                outcomes.append(WriteOutcome(.updated))
            } else {
                outcomes.append(try apply(operation, of: command, place: places[applied], at: position))
            }
        }
        if changeCount > 0 { record(command, at: position) }
        let reply = CommitReply(outcomes: outcomes, position: state.position)
        if !command.requestID.isEmpty { remember(command.requestID, reply) }
        if let stream = command.stream { advance(stream) }
        return reply
    }

    /// Whether an item of a resumed stream was committed before.
    private func isDone(_ number: Int, of command: Command) -> Bool {
        guard let stream = command.stream, let done = streams[Array(stream.id.utf8)] else { return false }
        return stream.sequences[number] <= done
    }

    /// Notes how far a stream has come, in the batch that brought it there.
    private mutating func advance(_ stream: StreamProgress) {
        let done = max(stream.last, streams[Array(stream.id.utf8)] ?? 0)
        streams[Array(stream.id.utf8)] = done
        var value: [UInt8] = []
        value.appendLittleEndian(done)
        value.appendLittleEndian(state.position)
        batch.put(.requests, key: Keys.stream(shard, stream.id), value: value)
    }

    /// Passes over a command that was committed before.
    mutating func skip(_ command: Command) { applied += command.operations.count }

    /// Writes the commit's row of the change log.
    private mutating func record(_ command: Command, at position: LogPosition) {
        var header: [UInt8] = []
        Commit.encodeHeader(
            time: command.time, requestID: command.requestID, context: command.context?.view ?? .empty,
            schemaVersion: command.schemaVersion, firstVersion: state.version - UInt64(changeCount) + 1,
            changeCount: changeCount, into: &header)
        Commit.encodeFacts(into: &logRow)
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

    private mutating func remember(_ requestID: String, _ reply: CommitReply) {
        batch.put(.requests, key: Keys.request(shard, requestID), value: reply.encoded)
        batch.put(.requests, key: Keys.requestAge(shard, reply.position, requestID), value: [])
        requests[Array(requestID.utf8)] = reply
    }

    // MARK: One operation

    private mutating func apply(
        _ operation: Operation, of command: Command, place: Int, at position: LogPosition
    ) throws(KithError) -> WriteOutcome {
        let current = try points[place].row.map { row throws(KithError) in try PointImage(decoding: row.bytes) }
        func failed(_ reason: ErrorReason) -> WriteOutcome {
            WriteOutcome(.failed, version: current?.version ?? 0, error: reason)
        }
        if command.purpose == .items, !holds.isEmpty, let row = points[place].row,
            try holds.hold(on: operation.id, row: row) != nil
        {
            return failed(.legalHold)
        }
        if let expected = operation.ifVersion, expected != current?.version ?? 0 { return failed(.versionMismatch) }
        switch operation.action {
        case .upsert(let mode, let payload, let vectors):
            if mode == .insertOnly, current != nil { return failed(.pointExists) }
            if mode == .updateOnly, current == nil { return failed(.pointNotFound) }
            guard let references = store(vectors) else { return failed(.limitExceeded) }
            return try put(place, payload: payload, references, replacing: current, at: position)
        case .delete:
            guard let current else { return WriteOutcome(.notFound) }
            try delete(place, current, at: position)
            return WriteOutcome(.deleted)
        case .updatePayload(let change):
            guard let current else { return failed(.pointNotFound) }
            let edited = try PayloadEditor.apply(change, to: current.payload)
            guard edited.count <= Limits.payloadBytes else { return failed(.limitExceeded) }
            return try edited.withBytes { (edited: UnsafeRawBufferPointer) throws(KithError) in
                try put(place, payload: ByteView(edited), current.vectors, replacing: current, at: position)
            }
        case .updateVectors(let set, let remove):
            guard let current else { return failed(.pointNotFound) }
            guard let added = store(set) else { return failed(.limitExceeded) }
            let replaced = set.map(\.space) + remove
            let kept = current.vectors.filter { !replaced.contains(Int($0.space)) }
            let references = (kept + added).sorted { $0.space < $1.space }
            return try put(place, payload: current.payload, references, replacing: current, at: position)
        }
    }

    /// Gives each vector the next slot of its space; nil when a space has no more.
    private mutating func store(_ writes: [VectorWrite]) -> [PointImage.VectorReference]? {
        for write in writes where Int(state.nextSlots[write.space]) + writes.count > slotLimits[write.space] { return nil }
        var references: [PointImage.VectorReference] = []
        references.reserveCapacity(writes.count)
        for write in writes {
            let slot = state.nextSlots[write.space]
            state.nextSlots[write.space] = slot + 1
            vectors[write.space].append(write.bytes)
            references.append(
                PointImage.VectorReference(space: UInt8(write.space), slot: slot, digest: checksum64(write.bytes.bytes)))
        }
        return references
    }

    private mutating func put(
        _ place: Int, payload: ByteView, _ references: [PointImage.VectorReference], replacing current: PointImage?,
        at position: LogPosition
    ) throws(KithError) -> WriteOutcome {
        state.version += 1
        let point = points[place]
        let image = PointImage(version: state.version, vectors: references, payload: payload)
        let after = arena.append { image.encode(into: &$0) }
        points[place].row = after
        try log(current == nil ? .create : .update, point, after: after)
        batch.put(.points, key: point.key.bytes, value: after.bytes)
        let old = current?.vectors ?? []
        for reference in references {
            let space = Int(reference.space)
            if old.contains(reference) {
                revisions.append(Revision(space: space, slot: reference.slot, version: image.version))
            } else {
                births.append(
                    Birth(space: space, slot: reference.slot, encodedID: point.encodedID, version: image.version))
            }
        }
        for reference in old where !references.contains(reference) { kill(reference, at: position) }
        if current == nil { state.points += 1 }
        return WriteOutcome(current == nil ? .created : .updated, version: image.version)
    }

    private mutating func delete(_ place: Int, _ current: PointImage, at position: LogPosition) throws(KithError) {
        // A deletion takes a version too: a point made again later never repeats one.
        state.version += 1
        let point = points[place]
        points[place].row = nil
        try log(.delete, point, after: nil)
        batch.delete(.points, key: point.key.bytes)
        for reference in current.vectors { kill(reference, at: position) }
        state.points -= 1
    }

    private mutating func kill(_ reference: PointImage.VectorReference, at position: LogPosition) {
        deaths.append(Death(space: Int(reference.space), slot: reference.slot, position: position))
    }

    /// Adds a change to the commit's log row; `point` is as it was before.
    private mutating func log(_ operation: ChangeOperation, _ point: NamedPoint, after: ByteView?) throws(KithError) {
        changeCount += 1
        Commit.encodeChange(
            operation, encodedID: point.encodedID.bytes, before: try shown(point.row).bytes, after: try shown(after).bytes,
            into: &logRow)
    }

    /// A row as the change log may have it; empty where there is none.
    private func shown(_ row: ByteView?) throws(KithError) -> ByteView {
        guard let row else { return .empty }
        if isErasing {
            let erased = try PointImage(decoding: row.bytes).erased
            return arena.append { erased.encode(into: &$0) }
        }
        guard let redaction else { return row }
        let redacted = try PayloadRedactor.redacted(row: row, by: redaction)
        return redacted.withUnsafeBytes { arena.append($0) }
    }
}
