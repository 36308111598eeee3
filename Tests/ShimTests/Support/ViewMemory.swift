import CGRPCShim

/// Memory that views built in a test point to, freed with it.
final class ViewMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        blocks.forEach { $0.deallocate() }
    }

    func array<Item>(_ items: [Item]) -> UnsafePointer<Item> {
        let room = UnsafeMutablePointer<Item>.allocate(capacity: max(1, items.count))
        room.initialize(from: items, count: items.count)
        blocks.append(UnsafeMutableRawPointer(room))
        return UnsafePointer(room)
    }

    func bytes(_ bytes: [UInt8]) -> KithBytes {
        KithBytes(data: array(bytes), size: bytes.count)
    }

    func text(_ text: String) -> KithBytes {
        bytes(Array(text.utf8))
    }
}

extension KithBytes {
    var array: [UInt8] {
        data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? []
    }

    var text: String {
        String(decoding: array, as: UTF8.self)
    }
}

/// The bytes of a buffer, which it frees.
func take(_ buffer: OpaquePointer?) -> [UInt8]? {
    guard let buffer else { return nil }
    defer { kith_buffer_free(buffer) }
    return kith_buffer_bytes(buffer).array
}

func takeText(_ buffer: OpaquePointer?) -> String? {
    take(buffer).map { String(decoding: $0, as: UTF8.self) }
}

func withBytes<Result>(_ bytes: [UInt8], _ body: (KithBytes) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBufferPointer { try body(KithBytes(data: $0.baseAddress, size: $0.count)) }
}

/// A message written as JSON; nil when the JSON does not fit.
func serialised(_ type: String, _ json: String) -> [UInt8]? {
    var error: OpaquePointer?
    defer { kith_buffer_free(error) }
    return withBytes(Array(json.utf8)) { take(kith_json_to_message(type, $0, &error)) }
}

/// A message as JSON; nil when the bytes are no such message.
func json(_ type: String, _ bytes: [UInt8]?, defaults: Bool = false) -> String? {
    guard let bytes else { return nil }
    return withBytes(bytes) { takeText(kith_message_to_json(type, $0, defaults)) }
}
