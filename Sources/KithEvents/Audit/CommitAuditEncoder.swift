internal import CGRPCShim
import KithCore

/// The audit of commits, made from the rows that their changes are in: it cannot be lost without them.
struct CommitAuditEncoder {
    let cluster: String

    func encode(
        _ commit: Commit, of definition: CollectionDefinition, shard: ShardID, _ encoding: EventEncoding,
        _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        let texts = CommitTexts(commit: commit, shard: shard, cluster: cluster)
        let id = "\(texts.id)/audit"
        let resource = "collections/\(definition.name)"
        let owned = [id, cluster, resource, commit.requestID].map { OwnedBytes(Array($0.utf8)) }
        defer { withExtendedLifetime(owned) {} }
        func count(_ operation: ChangeOperation) -> UInt64 {
            commit.changes.reduce(0) { $0 + ($1.operation == operation ? 1 : 0) }
        }
        var view = KithCommitAuditView(
            id: KithBytes(owned[0].view), cluster: KithBytes(owned[1].view), resource: KithBytes(owned[2].view),
            collection_id: shard.collection, shard: UInt32(shard.shard), position: commit.position, created: count(.create),
            updated: count(.update), deleted: count(.delete), ts_us: commit.time, request_id: KithBytes(owned[3].view),
            context: KithBytes(commit.context))
        let value = try EventBuffer(message: kith_encode_commit_audit(&view), "kith.v1.AuditEvent", as: encoding)
        let request = texts.request
        let who = request.actor.size > 0 ? request.actor : request.client_address
        let record = PlainRecord(
            topic: .audit, key: ByteView(who).text, id: id, source: "//kith/\(cluster)/\(definition.name)",
            type: "io.kith.audit.recorded.v1", subject: resource, time: commit.time,
            schema: PlainRecord.schema(of: "kith.v1.AuditEvent"),
            sequence: texts.sequence(commit.changes.count), traceparent: ByteView(request.traceparent))
        try record.visit(value, encoding, visit)
    }
}
