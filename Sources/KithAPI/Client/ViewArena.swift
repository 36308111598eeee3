import CGRPCShim
import KithCore

/// Copies of what C views point to, for as long as a call needs them.
final class ViewArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    private init() {}

    deinit { for block in blocks { block.deallocate() } }

    /// The message that `encode` makes of views into an arena, which lives until then.
    static func message(_ encode: (ViewArena) -> OpaquePointer?) throws(KithError) -> WireBuffer {
        let arena = ViewArena()
        return try WireBuffer(withExtendedLifetime(arena) { encode(arena) })
    }

    func bytes(_ text: String) -> KithBytes {
        var text = text
        return text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    func bytes(_ array: [UInt8]) -> KithBytes { array.withUnsafeBytes { bytes($0) } }

    private func bytes(_ source: UnsafeRawBufferPointer) -> KithBytes {
        guard !source.isEmpty else { return KithBytes() }
        let block = allocate(source.count, alignment: 1)
        block.copyMemory(from: source)
        return KithBytes(ByteView(UnsafeRawBufferPointer(block)))
    }

    /// A C array of trivial values.
    func array<Element: BitwiseCopyable>(_ items: [Element]) -> UnsafePointer<Element>? {
        guard !items.isEmpty else { return nil }
        return items.withUnsafeBytes { source in
            let block = allocate(source.count, alignment: MemoryLayout<Element>.alignment)
            block.copyMemory(from: source)
            return UnsafePointer(block.baseAddress?.assumingMemoryBound(to: Element.self))
        }
    }

    private func allocate(_ count: Int, alignment: Int) -> UnsafeMutableRawBufferPointer {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: alignment)
        if let address = block.baseAddress { blocks.append(address) }
        return block
    }

    // MARK: Values of the client

    func id(_ id: PointID) -> KithPointIDView {
        switch id {
        case .number: return id.view(KithBytes())
        case .uuid(let uuid):
            var bytes: [UInt8] = []
            bytes.appendBigEndian(uuid.high)
            bytes.appendBigEndian(uuid.low)
            return id.view(self.bytes(bytes))
        case .string(let text): return id.view(bytes(text))
        }
    }

    func vector(_ vector: ClientVector) -> KithVectorView {
        var view = KithVectorView()
        view.space = bytes(vector.space)
        switch vector.components {
        case .floats(let values):
            view.values = array(values)
            view.value_count = values.count
        case .bytes(let data, let element):
            view.data = bytes(data)
            view.element_type = Int32(element?.rawValue ?? 0)
        }
        return view
    }

    func operation(_ operation: ClientOperation) -> KithOperationView {
        var view = KithOperationView()
        view.point.id = id(operation.id)
        view.has_if_version = operation.ifVersion != nil
        view.if_version = operation.ifVersion ?? 0
        switch operation.action {
        case .upsert(let vectors, let payload, let mode):
            view.kind = KITH_OPERATION_UPSERT
            view.mode = Int32(mode.rawValue)
            view.point.vectors = array(vectors.map(vector))
            view.point.vector_count = vectors.count
            view.point.payload_json = bytes(payload)
        case .delete: view.kind = KITH_OPERATION_DELETE
        case .mergePayload(let patch):
            view.kind = KITH_OPERATION_UPDATE_PAYLOAD
            view.mode = 2
            view.point.payload_json = bytes(patch)
        case .setVectors(let vectors):
            view.kind = KITH_OPERATION_UPDATE_VECTORS
            view.point.vectors = array(vectors.map(vector))
            view.point.vector_count = vectors.count
        }
        return view
    }
}
