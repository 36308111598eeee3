import CGRPCShim
import KithCore
import Testing

/// Texts that outlive every test: what samples view.
func view(_ text: StaticString) -> ByteView { ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount) }

func sampleDefinition(
    name: String = "words", shards: Int = 1, vectors: EventVectors = .digest, encoding: EventEncoding = .protobuf,
    revision: UInt64 = 1
) -> CollectionDefinition {
    CollectionDefinition(
        name: name, id: 7,
        spaces: [VectorSpace(name: "text", dimension: 4), VectorSpace(name: "image", dimension: 4)],
        shardCount: shards, eventVectors: vectors, eventEncoding: encoding, revision: revision)
}

func sampleImage(
    version: UInt64, payload: StaticString = "{\"word\":\"kith\"}", slots: [UInt32] = [1]
) -> PointImage {
    PointImage(
        version: version,
        vectors: slots.enumerated().map { space, slot in
            PointImage.VectorReference(space: UInt8(space), slot: slot, digest: UInt64(slot) * 11)
        }, payload: view(payload))
}

/// A change that creates point `number`.
func creation(_ number: UInt64, payload: StaticString = "{\"word\":\"kith\"}") -> Change {
    Change(operation: .create, id: .number(number), before: nil, after: sampleImage(version: 1, payload: payload))
}

/// A serialised message as canonical JSON; nil where the bytes are none.
func json(_ message: some Collection<UInt8>, as type: String = "kith.v1.ChangeEvent") -> String? {
    let bytes = OwnedBytes(message)
    let view = KithBytes(
        data: bytes.view.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), size: bytes.view.count)
    guard let buffer = kith_message_to_json(type, view, false) else { return nil }
    defer { kith_buffer_free(buffer) }
    let text = kith_buffer_bytes(buffer)
    return withExtendedLifetime(bytes) { ByteView(start: text.data, count: text.size).text }
}

/// A message of the protos, serialised.
func message(_ type: String, json: String) throws -> OwnedBytes {
    let text = OwnedBytes(Array(json.utf8))
    var failure: OpaquePointer?
    let bytes = KithBytes(data: text.view.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), size: text.view.count)
    let buffer = kith_json_to_message(type, bytes, &failure)
    defer { kith_buffer_free(failure) }
    let made = try #require(buffer)
    defer { kith_buffer_free(made) }
    let view = kith_buffer_bytes(made)
    return OwnedBytes(ByteView(start: view.data, count: view.size).bytes)
}
