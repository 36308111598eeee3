import KithCore

/// The headers of an event: CloudEvents 1.0, Kafka protocol binding, binary content mode.
struct CloudEvent {
    private(set) var headers: [KafkaHeader] = [
        KafkaHeader("ce_specversion", text("1.0")),
        KafkaHeader("ce_id", .empty),
        KafkaHeader("ce_source", .empty),
        KafkaHeader("ce_type", .empty),
        KafkaHeader("ce_subject", .empty),
        KafkaHeader("ce_time", .empty),
        KafkaHeader("ce_partitionkey", .empty),
        KafkaHeader("ce_dataschema", .empty),
        KafkaHeader("ce_sequence", .empty),
        KafkaHeader("content-type", .empty),
    ]
    private static let withoutTrace = 10

    /// For all events from now on; empty where the request had none.
    mutating func setTraceparent(_ trace: ByteView) {
        headers.removeSubrange(CloudEvent.withoutTrace...)
        if !trace.isEmpty { headers.append(KafkaHeader("ce_traceparent", trace)) }
    }

    mutating func set(
        id: ByteView, source: ByteView, type: ByteView, subject: ByteView, time: ByteView, key: ByteView, schema: ByteView,
        sequence: ByteView, encoding: EventEncoding
    ) {
        headers[1].value = id
        headers[2].value = source
        headers[3].value = type
        headers[4].value = subject
        headers[5].value = time
        headers[6].value = key
        headers[7].value = schema
        headers[8].value = sequence
        headers[9].value =
            switch encoding {
            case .protobuf: CloudEvent.text("application/protobuf")
            case .json: CloudEvent.text("application/json")
            }
    }

    static func type(_ operation: ChangeOperation) -> ByteView {
        switch operation {
        case .create: text("io.kith.point.created.v1")
        case .update: text("io.kith.point.updated.v1")
        case .delete: text("io.kith.point.deleted.v1")
        case .read: text("io.kith.point.read.v1")
        }
    }

    static let stateType = text("io.kith.point.state.v1")
    static let changeSchema = text("urn:kith:schema:kith.v1.ChangeEvent")
    static let stateSchema = text("urn:kith:schema:kith.v1.PointImage")

    /// Literals live as long as the program.
    private static func text(_ literal: StaticString) -> ByteView {
        ByteView(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}
