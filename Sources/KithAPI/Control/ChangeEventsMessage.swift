import KithCore

/// The event settings of a collection as protobuf JSON.
struct ChangeEventsMessage: Codable {
    struct Redaction: Codable {
        var path: String
        var action: EnumText
    }

    struct Registry: Codable {
        var changeSchemaId: UInt32
        var stateSchemaId: UInt32
    }

    var vectors = EnumText("VECTORS_UNSPECIFIED")
    var encoding = EnumText("ENCODING_UNSPECIFIED")
    var redactions: [Redaction] = []
    var state = false
    var stateVectors = EnumText("VECTORS_UNSPECIFIED")
    var transactions = false
    var schemaRegistry: Registry? = nil

    /// The defaults.
    init() {}

    init(_ definition: CollectionDefinition) {
        let events = definition.events
        vectors = EnumText(WireEnums.name(definition.eventVectors, WireEnums.eventVectors))
        encoding = EnumText(WireEnums.name(definition.eventEncoding, WireEnums.eventEncoding))
        redactions = events.redactions.map {
            Redaction(path: $0.path, action: EnumText(WireEnums.name($0.action, WireEnums.redactionAction)))
        }
        state = events.state
        stateVectors = EnumText(WireEnums.name(events.stateVectors, WireEnums.stateVectors))
        transactions = events.transactions
        if events.changeSchemaID != 0 || events.stateSchemaID != 0 {
            schemaRegistry = Registry(changeSchemaId: events.changeSchemaID, stateSchemaId: events.stateSchemaID)
        }
    }

    /// Takes the settings over, whole.
    func apply(to definition: inout CollectionDefinition) throws(KithError) {
        let field = "collection.change_events"
        definition.eventVectors = try vectors.value(WireEnums.eventVectors, field: "\(field).vectors")
        definition.eventEncoding = try encoding.value(WireEnums.eventEncoding, field: "\(field).encoding")
        var events = EventStreams()
        // The secret stays: what was equal once stays equal.
        events.redactionKey = definition.events.redactionKey
        for (index, redaction) in redactions.enumerated() {
            let place = "\(field).redactions[\(index)].action"
            guard let action = try redaction.action.value(WireEnums.redactionAction, field: place) else {
                throw .invalid(.requiredFieldMissing, field: place, "must be DROP, HASH or MASK")
            }
            events.redactions.append(FieldRedaction(path: redaction.path, action: action))
        }
        events.state = state
        events.stateVectors = try stateVectors.value(WireEnums.stateVectors, field: "\(field).state_vectors")
        events.transactions = transactions
        events.changeSchemaID = schemaRegistry?.changeSchemaId ?? 0
        events.stateSchemaID = schemaRegistry?.stateSchemaId ?? 0
        definition.events = events
    }
}
