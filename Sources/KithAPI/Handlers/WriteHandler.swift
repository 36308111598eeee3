import CGRPCShim
import KithCollections
import KithCore

/// Upsert, BatchWrite, Delete, UpdatePayload and UpdateVectors: one path.
struct WriteHandler {
    let engine: Engine
    let kind: KithWriteKind

    func handle(_ call: Call) throws(KithError) {
        var view = KithWriteView()
        let message = try WireMessage(kith_decode_write(kind, call.message, &view))
        let collection = try engine.catalogue.collection(view.collection.text)
        guard view.request_id.size <= Limits.requestIDBytes else {
            throw .limit(field: "request_id", value: view.request_id.size, limit: Limits.requestIDBytes, unit: "bytes")
        }
        let durability: Durability? =
            view.durability == 0
            ? nil : try WireValues.enumeration(view.durability, Durability.self, default: nil, field: "durability")
        let definition = collection.definition
        let operations = try WireWrites(definition: definition, message: message).operations(view, of: kind)
        collection.write(
            operations, requestID: view.request_id.text, context: call.context, durability: durability,
            byteCount: call.message.size, owner: message
        ) { result in
            do throws(KithError) {
                call.reply(try WriteHandler.response(try result.get()))
            } catch { call.fail(error) }
        }
    }

    static func response(_ result: Collection.WriteResult) throws(KithError) -> WireBuffer {
        var texts = TextArena()
        let errors = result.outcomes.map { texts.add($0.error?.rawValue ?? "") }
        let positions = result.positions.views
        let buffer = texts.withViews { view in
            let outcomes = zip(result.outcomes, errors).map {
                KithOutcomeView(result: Int32($0.result.rawValue), version: $0.version, error: view($1))
            }
            return kith_encode_write_response(outcomes, outcomes.count, positions, positions.count, result.replayed)
        }
        return try WireBuffer(buffer)
    }
}
