internal import CGRPCShim
import KithCore

/// Events of the node's own log: catalogue, audit, governance and lineage.
struct NodeEventEncoder {
    let cluster: String

    func encode(
        _ commit: Commit, at index: Int, shard: ShardID, _ encoding: EventEncoding,
        _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        let fact = commit.facts[index]
        let texts = CommitTexts(commit: commit, shard: shard, cluster: cluster)
        let id = "\(texts.id)/\(index)"
        let record = PlainRecord(
            topic: fact.kind.topic, key: fact.key.text, id: id, source: "//kith/\(cluster)", type: fact.type.text,
            subject: fact.subject.text, time: commit.time, schema: fact.kind.schema, sequence: texts.sequence(index),
            traceparent: ByteView(texts.request.traceparent))
        guard let kind = fact.kind.wire else { return try record.visit(bytes: fact.body, .json, visit) }
        let owned = [id, cluster, commit.requestID].map { OwnedBytes(Array($0.utf8)) }
        defer { withExtendedLifetime(owned) {} }
        var view = KithNodeEventView(
            kind: kind, id: KithBytes(owned[0].view), cluster: KithBytes(owned[1].view), position: commit.position,
            index: UInt32(index), count: UInt32(commit.facts.count), ts_us: commit.time, request_id: KithBytes(owned[2].view),
            context: KithBytes(commit.context), body: KithBytes(fact.body))
        let value = try EventBuffer(message: kith_encode_node_event(&view), fact.kind.message, as: encoding)
        try record.visit(value, encoding, visit)
    }
}

extension Fact.Kind {
    var topic: EventTopic {
        switch self {
        case .catalogue: .catalogue
        case .audit: .audit
        case .governance: .governance
        case .lineage: .lineage
        }
    }

    /// The full name of its message.
    fileprivate var message: String {
        switch self {
        case .catalogue: "kith.v1.CatalogueEvent"
        case .audit: "kith.v1.AuditEvent"
        case .governance: "kith.v1.GovernanceEvent"
        case .lineage: ""
        }
    }

    fileprivate var schema: String {
        self == .lineage ? "https://openlineage.io/spec/2-0-2/OpenLineage.json" : PlainRecord.schema(of: message)
    }

    /// Nil where the body is the value as it is.
    fileprivate var wire: KithNodeEventKind? {
        switch self {
        case .catalogue: KITH_NODE_CATALOGUE
        case .audit: KITH_NODE_AUDIT
        case .governance: KITH_NODE_GOVERNANCE
        case .lineage: nil
        }
    }
}
