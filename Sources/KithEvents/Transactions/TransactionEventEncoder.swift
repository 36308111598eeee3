internal import CGRPCShim
import KithCore

/// BEGIN and END of commits of several changes.
struct TransactionEventEncoder {
    let cluster: String

    func encode(
        _ commit: Commit, ends: Bool, of definition: CollectionDefinition, shard: ShardID,
        _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        let texts = CommitTexts(commit: commit, shard: shard, cluster: cluster)
        let owned = [texts.id, definition.name, commit.requestID].map { OwnedBytes(Array($0.utf8)) }
        defer { withExtendedLifetime(owned) {} }
        var view = KithTransactionEventView(
            ends: ends, id: KithBytes(owned[0].view), collection: KithBytes(owned[1].view),
            event_count: UInt64(commit.changes.count), ts_us: commit.time, request_id: KithBytes(owned[2].view),
            context: KithBytes(commit.context))
        let encoding = definition.eventEncoding
        let value = try EventBuffer(message: kith_encode_transaction_event(&view), "kith.v1.TransactionEvent", as: encoding)
        let record = PlainRecord(
            topic: .transactions, key: texts.id, id: "\(texts.id)/\(ends ? "end" : "begin")",
            source: "//kith/\(cluster)/\(definition.name)", type: "io.kith.transaction.\(ends ? "ended" : "began").v1",
            subject: "transactions/\(texts.id)", time: commit.time, schema: PlainRecord.schema(of: "kith.v1.TransactionEvent"),
            sequence: texts.sequence(ends ? commit.changes.count : 0), traceparent: ByteView(texts.request.traceparent))
        try record.visit(value, encoding, visit)
    }
}
