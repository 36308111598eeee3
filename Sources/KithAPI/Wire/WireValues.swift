import CGRPCShim
import CJSON
import CVectorKernels
import KithCollections
import KithCore

/// Wire values to the engine's, each checked; errors name the field.
enum WireValues {
    static func pointID(_ view: KithPointIDView, field: String) throws(KithError) -> PointID {
        switch view.kind {
        case KITH_ID_NUMBER: return .number(view.number)
        case KITH_ID_UUID:
            guard view.bytes.size == 16 else {
                throw .invalid(
                    .invalidPointID, field: "\(field).uuid", "has \(view.bytes.size) bytes, a UUID has 16",
                    metadata: ["value": "\(view.bytes.size)"])
            }
            let bytes = view.bytes.view.bytes
            return .uuid(PointID.UUIDBytes(high: bytes.bigEndian(at: 0), low: bytes.bigEndian(at: 8)))
        case KITH_ID_NAME:
            guard (1...Limits.stringIDBytes).contains(view.bytes.size) else {
                throw .invalid(
                    .invalidPointID, field: "\(field).name",
                    "has \(view.bytes.size) bytes, it must have 1 to \(Limits.stringIDBytes)",
                    metadata: ["value": "\(view.bytes.size)", "limit": "\(Limits.stringIDBytes)"])
            }
            return .string(view.bytes.text)
        default: throw .invalid(.requiredFieldMissing, field: field, "must be a number, a uuid or a name")
        }
    }

    static func enumeration<Value: RawRepresentable<UInt8>>(
        _ raw: Int32, _ type: Value.Type, default unspecified: Value?, field: String
    ) throws(KithError) -> Value {
        if raw == 0, let unspecified { return unspecified }
        guard let byte = UInt8(exactly: raw), let value = Value(rawValue: byte) else {
            throw .invalid(
                raw == 0 ? .requiredFieldMissing : .unknownEnumValue, field: field,
                raw == 0 ? "must be given" : "\(raw) is no value of this field", metadata: ["value": "\(raw)"])
        }
        return value
    }

    // MARK: Vectors

    /// The bytes of a vector in its space's element type, checked; converted ones are kept by `message`.
    static func vector(
        _ view: KithVectorView, _ space: VectorSpace, field: String, _ message: WireMessage
    ) throws(KithError) -> ByteView {
        if view.element_type != 0 {
            let element = try enumeration(
                view.element_type, ElementType.self, default: nil, field: "\(field).element_type")
            guard element == space.element else {
                throw .invalid(
                    .elementTypeMismatch, field: "\(field).element_type",
                    "is \(element), the vector space stores \(space.element)",
                    metadata: ["value": "\(element)", "expected": "\(space.element)"])
            }
        }
        let bytes = try view.value_count > 0 ? converted(view, space, field, message) : plain(view, space, field)
        let flags = bytes.bytes.baseAddress.map { kith_vector_check(space.element.rawValue, $0, space.dimension) } ?? 0
        if flags & UInt32(KITH_VECTOR_NON_FINITE) != 0 {
            throw .invalid(.nonFiniteVector, field: field, "has a component that is NaN or infinite")
        }
        if flags & UInt32(KITH_VECTOR_ZERO) != 0, space.metric == .cosine {
            throw .invalid(.zeroVector, field: field, "is zero, which has no direction for cosine to compare")
        }
        return bytes
    }

    private static func plain(_ view: KithVectorView, _ space: VectorSpace, _ field: String) throws(KithError) -> ByteView {
        if view.data.size == 0 {
            throw .invalid(.requiredFieldMissing, field: "\(field).data", "must have \(space.vectorBytes) bytes")
        }
        guard view.data.size == space.vectorBytes else {
            throw .invalid(
                .invalidDimension, field: "\(field).data",
                "has \(view.data.size) bytes, \(space.dimension) x \(space.element) has \(space.vectorBytes)",
                metadata: [
                    "value": "\(view.data.size)", "expected": "\(space.vectorBytes)", "dimension": "\(space.dimension)",
                ])
        }
        return view.data.view
    }

    private static func converted(
        _ view: KithVectorView, _ space: VectorSpace, _ field: String, _ message: WireMessage
    ) throws(KithError) -> ByteView {
        if view.data.size > 0 {
            throw .invalid(.invalidValue, field: field, "has both data and values")
        }
        guard view.value_count == space.dimension, let values = view.values else {
            throw .invalid(
                .invalidDimension, field: "\(field).values",
                "has \(view.value_count) components, the vector space has \(space.dimension)",
                metadata: ["value": "\(view.value_count)", "expected": "\(space.dimension)"])
        }
        guard space.element != .binary else {
            throw .invalid(.elementTypeMismatch, field: "\(field).values", "cannot be bits: give data")
        }
        if space.element == .float32 { return ByteView(start: values, count: view.value_count * 4) }
        let bytes = OwnedBytes(repeatElement(0, count: space.vectorBytes))
        guard let out = UnsafeMutableRawPointer(mutating: bytes.view.bytes.baseAddress) else { return bytes.view }
        let done = kith_vector_narrow(space.element.rawValue, values, space.dimension, out)
        guard done == space.dimension else {
            throw .invalid(
                .elementTypeMismatch, field: "\(field).values[\(done)]",
                "\(values[done]) does not fit \(space.element)", metadata: ["value": "\(values[done])"])
        }
        message.keep(bytes)
        return bytes.view
    }

    // MARK: Payloads

    /// A payload, checked to be one JSON object within the limits; empty is none.
    static func payload(_ bytes: KithBytes, field: String) throws(KithError) -> ByteView {
        if bytes.size == 0 { return .empty }
        guard bytes.size <= Limits.payloadBytes else {
            throw .limit(field: field, value: bytes.size, limit: Limits.payloadBytes, unit: "bytes")
        }
        var offset = 0
        switch kith_json_check_object(bytes.data, bytes.size, Limits.payloadDepth, &offset) {
        case KITH_JSON_OK: return bytes.view
        case KITH_JSON_TOO_DEEP:
            throw .invalid(
                .payloadTooDeep, field: field, "is nested deeper than \(Limits.payloadDepth) levels",
                metadata: ["limit": "\(Limits.payloadDepth)"])
        case KITH_JSON_NOT_OBJECT: throw .invalid(.invalidPayload, field: field, "is not a JSON object")
        default:
            throw .invalid(
                .invalidPayload, field: field, "is not JSON at byte \(offset)", metadata: ["offset": "\(offset)"])
        }
    }

    // MARK: Selectors and positions

    static func selection(
        _ view: KithSelectorView, _ definition: CollectionDefinition, field: String
    ) throws(KithError) -> PointSelection {
        var selection = PointSelection(payload: view.payload)
        guard view.vectors else { return selection }
        if view.space_count == 0 {
            selection.spaces = Array(definition.spaces.indices)
        } else {
            guard view.space_count <= Limits.vectorSpaces else {
                throw .limit(
                    field: "\(field).vector_spaces", value: view.space_count, limit: Limits.vectorSpaces, unit: "spaces")
            }
            for (index, name) in UnsafeBufferPointer(start: view.spaces, count: view.space_count).enumerated() {
                selection.spaces.append(
                    try definition.spaceIndex(name.text, field: "\(field).vector_spaces[\(index)]"))
            }
        }
        return selection
    }

    static func positions(
        _ start: UnsafePointer<KithShardPosition>?, _ count: Int, field: String
    ) throws(KithError) -> [ShardPosition] {
        guard count <= Limits.shards else {
            throw .limit(field: field, value: count, limit: Limits.shards, unit: "positions")
        }
        var positions: [ShardPosition] = []
        for (index, view) in UnsafeBufferPointer(start: start, count: count).enumerated() {
            guard let shard = UInt16(exactly: view.shard) else {
                throw .invalid(
                    .invalidPosition, field: "\(field)[\(index)].shard", "there is no shard \(view.shard)",
                    metadata: ["shard": "\(view.shard)"])
            }
            positions.append(ShardPosition(shard: shard, position: view.position))
        }
        return positions
    }
}
