import CGRPCShim
import KithCore

/// Write requests to operations.
struct WireWrites {
    let definition: CollectionDefinition
    let message: WireMessage

    /// The operations of a request, checked. A request is refused as a whole: no half of it is done.
    func operations(_ view: KithWriteView, of kind: KithWriteKind) throws(KithError) -> [Operation] {
        let list = WireWrites.listName(kind)
        guard view.operation_count > 0 else {
            throw .invalid(.requiredFieldMissing, field: list, "must have at least one entry")
        }
        guard view.operation_count <= Limits.batchOperations else {
            throw .limit(field: list, value: view.operation_count, limit: Limits.batchOperations, unit: "operations")
        }
        if view.has_request_if_version, view.operation_count != 1 {
            throw .invalid(
                .invalidValue, field: "if_version", "goes with exactly one point, there are \(view.operation_count)",
                metadata: ["value": "\(view.operation_count)"])
        }
        var operations: [Operation] = []
        operations.reserveCapacity(view.operation_count)
        for (index, operation) in UnsafeBufferPointer(start: view.operations, count: view.operation_count).enumerated() {
            do throws(KithError) {
                operations.append(try self.operation(operation))
            } catch { throw error.moved { WireWrites.place($0, index, operation.kind, of: kind) } }
        }
        return operations
    }

    private static func listName(_ kind: KithWriteKind) -> String {
        switch kind {
        case KITH_WRITE_UPSERT: "points"
        case KITH_WRITE_DELETE, KITH_WRITE_UPDATE_PAYLOAD: "ids"
        default: "operations"
        }
    }

    /// Where a field of operation `index` stands in its request.
    static func place(_ field: String, _ index: Int, _ operation: KithOperationKind, of kind: KithWriteKind) -> String {
        switch kind {
        case KITH_WRITE_UPSERT:
            return field.hasPrefix("point") ? "points[\(index)]" + field.dropFirst("point".count) : field
        case KITH_WRITE_DELETE, KITH_WRITE_UPDATE_PAYLOAD:
            return field == "id" || field.hasPrefix("id.") ? "ids[\(index)]" + field.dropFirst("id".count) : field
        case KITH_WRITE_BATCH: return "operations[\(index)].\(inBatch(field, operation))"
        default: return "operations[\(index)].\(field)"
        }
    }

    /// Where a field of an operation stands in its WriteOperation.
    static func inBatch(_ field: String, _ operation: KithOperationKind) -> String {
        switch operation {
        case KITH_OPERATION_UPSERT: "upsert.\(field)"
        case KITH_OPERATION_DELETE: "delete.\(field)"
        case KITH_OPERATION_UPDATE_PAYLOAD: "update_payload.\(field)"
        case KITH_OPERATION_UPDATE_VECTORS: "update_vectors.\(field)"
        default: field
        }
    }

    func operation(_ view: KithOperationView) throws(KithError) -> Operation {
        if view.kind == KITH_OPERATION_UNSET {
            throw .invalid(.requiredFieldMissing, field: "operation", "must be one of the operations")
        }
        let id = try WireValues.pointID(view.point.id, field: view.kind == KITH_OPERATION_UPSERT ? "point.id" : "id")
        return Operation(id: id, action: try action(view), ifVersion: view.has_if_version ? view.if_version : nil)
    }

    private func action(_ view: KithOperationView) throws(KithError) -> Operation.Action {
        switch view.kind {
        case KITH_OPERATION_UPSERT:
            return .upsert(
                try WireValues.enumeration(view.mode, WriteMode.self, default: .upsert, field: "mode"),
                payload: try WireValues.payload(view.point.payload_json, field: "point.payload_json"),
                vectors: try vectors(view.point, field: "point.vectors"))
        case KITH_OPERATION_DELETE: return .delete
        case KITH_OPERATION_UPDATE_PAYLOAD: return .updatePayload(try payloadChange(view))
        case KITH_OPERATION_UPDATE_VECTORS:
            let set = try vectors(view.point, field: "vectors")
            var remove: [Int] = []
            for (index, name) in try keys(view, field: "remove_spaces", limit: Limits.vectorSpaces).enumerated() {
                let space = try definition.spaceIndex(name.text, field: "remove_spaces[\(index)]")
                guard !set.contains(where: { $0.space == space }), !remove.contains(space) else {
                    throw .invalid(
                        .duplicateName, field: "remove_spaces[\(index)]", "'\(name.text)' is named twice",
                        metadata: ["vector_space": name.text])
                }
                remove.append(space)
            }
            guard !set.isEmpty || !remove.isEmpty else {
                throw .invalid(.requiredFieldMissing, field: "vectors", "must set or remove at least one vector")
            }
            return .updateVectors(set: set, remove: remove)
        default: throw .invalid(.requiredFieldMissing, field: "operation", "must be one of the operations")
        }
    }

    private func payloadChange(_ view: KithOperationView) throws(KithError) -> PayloadChange {
        func patch() throws(KithError) -> ByteView {
            let payload = try WireValues.payload(view.point.payload_json, field: "payload_json")
            if payload.isEmpty { throw .invalid(.requiredFieldMissing, field: "payload_json", "must be a JSON object") }
            return payload
        }
        switch view.mode {
        case 1: return .set(try patch())
        case 2: return .merge(try patch())
        case 3: return .replace(try patch())
        case 4:
            let keys = try keys(view, field: "keys", limit: Limits.payloadKeys)
            if keys.isEmpty { throw .invalid(.requiredFieldMissing, field: "keys", "must name at least one key") }
            return .deleteKeys(keys.map(\.view))
        case 5: return .clear
        default:
            throw .invalid(
                view.mode == 0 ? .requiredFieldMissing : .unknownEnumValue, field: "mode",
                view.mode == 0 ? "must be given" : "\(view.mode) is no value of this field", metadata: ["value": "\(view.mode)"])
        }
    }

    private func keys(_ view: KithOperationView, field: String, limit: Int) throws(KithError) -> UnsafeBufferPointer<KithBytes> {
        guard view.key_count <= limit else {
            throw .limit(field: field, value: view.key_count, limit: limit, unit: "entries")
        }
        return UnsafeBufferPointer(start: view.keys, count: view.key_count)
    }

    private func vectors(_ point: KithPointView, field: String) throws(KithError) -> [VectorWrite] {
        guard point.vector_count <= Limits.vectorSpaces else {
            throw .limit(field: field, value: point.vector_count, limit: Limits.vectorSpaces, unit: "vectors")
        }
        var writes: [VectorWrite] = []
        writes.reserveCapacity(point.vector_count)
        for (index, vector) in UnsafeBufferPointer(start: point.vectors, count: point.vector_count).enumerated() {
            // Names of fields are made only for errors: this is the hot path.
            do throws(KithError) {
                let space =
                    vector.space.isEmpty && definition.spaces.count == 1
                    ? 0 : try definition.spaceIndex(vector.space.text, field: "space")
                guard !writes.contains(where: { $0.space == space }) else {
                    throw KithError.invalid(
                        .duplicateName, field: "space", "'\(vector.space.text)' is there twice",
                        metadata: ["vector_space": vector.space.text])
                }
                let bytes = try WireValues.vector(vector, definition.spaces[space], field: "vector", message)
                writes.append(VectorWrite(space: space, bytes: bytes))
            } catch {
                throw error.moved { inner in
                    let rest = inner.hasPrefix("vector") ? String(inner.dropFirst("vector".count)) : ".\(inner)"
                    return "\(field)[\(index)]\(rest)"
                }
            }
        }
        return writes
    }
}
