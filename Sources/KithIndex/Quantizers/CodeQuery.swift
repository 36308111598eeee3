public import CVectorKernels

/// A query made ready for the codes of one quantizer, in memory that is kept from one query to the next. One thread's at a time.
///
/// `Quantizer.prepare` fills it. Distances of many codes are estimated in one C call; smaller is nearer, as everywhere.
public final class CodeQuery {
    /// What the kernels read; its pointers lead into `memory`, or into what the quantizer keeps.
    public var query = kith_code_query()
    public var kernel = codeKernel(KITH_CODES_PACKED)
    /// What an estimate's error (see `error`) is multiplied with.
    public var errorScale: Float = 0
    /// The query in the quantizer's frame, `Quantizer.width` components: rotated, less the mean.
    public private(set) var placed: UnsafeMutablePointer<Float>
    private var width = 0
    private var memory: UnsafeMutableRawPointer
    private var memoryBytes = 0

    public init() {
        placed = .allocate(capacity: 1)
        memory = .allocate(byteCount: 64, alignment: 64)
    }

    deinit {
        placed.deallocate()
        memory.deallocate()
    }

    /// Estimates of `count` codes that follow each other, `stride` bytes apart.
    @inline(__always)
    public func scan(_ codes: UnsafeRawPointer, stride: Int, count: Int, into estimates: UnsafeMutablePointer<Float>) {
        kernel.scan(&query, codes, stride, count, estimates)
    }

    /// Estimates of codes anywhere, `stride` bytes apart; they are fetched ahead.
    @inline(__always)
    public func gather(
        _ codes: UnsafeRawPointer, stride: Int, _ slots: UnsafePointer<UInt32>, count: Int,
        into estimates: UnsafeMutablePointer<Float>
    ) {
        kernel.gather(&query, codes, stride, slots, count, estimates)
    }

    /// Estimates of all 32 codes of each of `count` blocks; only where `Quantizer.blockBytes` is there.
    @inline(__always)
    public func scanBlocks(_ blocks: UnsafeRawPointer, stride: Int, count: Int, into estimates: UnsafeMutablePointer<Float>) {
        kernel.blocks?(&query, blocks, stride, count, estimates)
    }

    /// How far an estimate may be from the distance, at the confidence of the quantizer; only where `Quantizer.hasErrorBound`.
    @inline(__always)
    public func error(of code: UnsafeRawPointer) -> Float {
        errorScale * code.loadUnaligned(fromByteOffset: 8, as: Float.self)
    }

    // MARK: For quantizers

    /// Room for the query in the frame.
    func place(width: Int) -> UnsafeMutablePointer<Float> {
        if width > self.width {
            placed.deallocate()
            placed = .allocate(capacity: width)
            self.width = width
        }
        return placed
    }

    /// Room for what the kernel is to read, aligned to 64 bytes.
    public func room(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if byteCount > memoryBytes {
            memory.deallocate()
            memory = .allocate(byteCount: byteCount, alignment: 64)
            memoryBytes = byteCount
        }
        return memory
    }
}
