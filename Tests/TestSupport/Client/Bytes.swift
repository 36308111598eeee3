import CGRPCShim

extension KithBytes {
    var array: [UInt8] { data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? [] }
}

func withBytes<Result>(_ bytes: [UInt8], _ body: (KithBytes) -> Result) -> Result {
    bytes.withUnsafeBufferPointer { body(KithBytes(data: $0.baseAddress, size: $0.count)) }
}

/// The bytes of a buffer, which it frees.
func take(_ buffer: OpaquePointer?) -> [UInt8]? {
    guard let buffer else { return nil }
    defer { kith_buffer_free(buffer) }
    return kith_buffer_bytes(buffer).array
}

func takeText(_ buffer: OpaquePointer?) -> String { String(decoding: take(buffer) ?? [], as: UTF8.self) }
