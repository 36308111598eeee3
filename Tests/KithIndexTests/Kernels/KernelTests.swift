import CVectorKernels
import KithCore
import Testing

/// One distance function at one level.
struct KernelCase: CustomTestStringConvertible {
    var level: UInt8
    var element: ElementType
    var metric: Metric

    var testDescription: String { "\(String(cString: kith_simd_name(level))) \(element) \(metric)" }

    static let all: [KernelCase] = (0..<UInt8(KITH_SIMD_LEVELS)).filter(kith_simd_supported).flatMap { level in
        ElementType.allCases.flatMap { element in
            Metric.allCases.filter { $0.accepts(element) }.map { KernelCase(level: level, element: element, metric: $0) }
        }
    }
}

@Suite struct KernelTests {
    static let dimensions = Array(1...130) + [255, 384, 1_000, 1_536, 4_097]

    /// The distance in double precision, from components as float32 (which holds those of every type exactly).
    private func reference(_ metric: Metric, _ a: [Float], _ b: [Float]) -> Double {
        func sum(_ term: (Double, Double) -> Double) -> Double {
            zip(a, b).reduce(0) { $0 + term(Double($1.0), Double($1.1)) }
        }
        switch metric {
        case .cosine:
            let norms = (sum { x, _ in x * x } * sum { _, y in y * y }).squareRoot()
            return norms == 0 ? 1 : 1 - sum { $0 * $1 } / norms
        case .dot: return -sum { $0 * $1 }
        case .l2: return sum { ($0 - $1) * ($0 - $1) }
        case .l1, .hamming: return sum { abs($0 - $1) }
        case .jaccard:
            let either = sum { max($0, $1) }
            return either == 0 ? 0 : 1 - sum { min($0, $1) } / either
        }
    }

    private func tolerance(_ element: ElementType, _ metric: Metric, _ dimension: Int, _ expected: Double) -> Double {
        switch metric {
        case .cosine, .jaccard: 2e-6
        case .hamming: 0
        case .dot, .l2, .l1: element.isFloatingPoint ? 1e-6 * Double(dimension + 8) : abs(expected) * 6e-8
        }
    }

    @Test("distance, gather and scan agree with double precision", arguments: KernelCase.all)
    func agrees(_ test: KernelCase) throws {
        let element = test.element.rawValue
        let kernel = try #require(kith_kernel_at(test.level, element, test.metric.rawValue)).pointee
        var random = SeededRandom(7)
        for dimension in KernelTests.dimensions {
            let bytes = test.element.byteCount(dimension: dimension)
            // An odd stride and an odd start: nothing is aligned.
            let stride = bytes + 1
            let rows = 11
            var memory = [UInt8](repeating: 0xFF, count: stride * (rows + 1) + 1)
            var vectors: [[Float]] = []
            try memory.withUnsafeMutableBytes { memory in
                let base = try #require(memory.baseAddress) + 1
                for row in 0...rows {
                    let components = (0..<dimension).map { _ in random.component(test.element) }
                    let place = base + row * stride
                    #expect(kith_vector_narrow(element, components, dimension, place) == dimension)
                    var stored = [Float](repeating: 0, count: dimension)
                    kith_vector_widen(element, place, dimension, &stored)
                    if test.element == .binary, dimension % 8 != 0 {
                        // Bits past the last component must not count.
                        place.storeBytes(
                            of: place.load(fromByteOffset: bytes - 1, as: UInt8.self) | (0xFF << UInt8(dimension % 8)),
                            toByteOffset: bytes - 1, as: UInt8.self)
                    }
                    vectors.append(stored)
                }
                let query = UnsafeRawPointer(base + rows * stride)
                let scale = kith_query_scale(element, test.metric.rawValue, query, dimension)
                let slots: [UInt32] = [3, 0, 10, 10, 7, 1, 2, 9, 8, 4, 6, 5]
                var gathered = [Float](repeating: .nan, count: slots.count)
                kernel.gather(query, base, stride, slots, slots.count, dimension, scale, &gathered)
                var scanned = [Float](repeating: .nan, count: rows)
                kernel.scan(query, base, stride, rows, dimension, scale, &scanned)

                for row in 0..<rows {
                    let distance = kernel.distance(query, base + row * stride, dimension, scale)
                    let expected = reference(test.metric, vectors[rows], vectors[row])
                    let tolerance = tolerance(test.element, test.metric, dimension, expected)
                    #expect(abs(Double(distance) - expected) <= tolerance, "dimension \(dimension): \(distance), \(expected)")
                    #expect(scanned[row] == distance)
                }
                for (slot, distance) in zip(slots, gathered) { #expect(distance == scanned[Int(slot)]) }
            }
        }
    }

    @Test("metrics that do not compare an element type have no kernel")
    func refuses() {
        for element in ElementType.allCases {
            for metric in Metric.allCases {
                #expect((kith_kernel_for(element.rawValue, metric.rawValue) != nil) == metric.accepts(element))
            }
        }
        #expect(kith_kernel_for(0, 1) == nil)
        #expect(kith_kernel_for(200, 200) == nil)
        #expect(kith_kernel_at(99, 1, 1) == nil)
        #expect(kith_simd_supported(kith_simd_active()))
    }

    @Test("whole numbers stay exact at the largest dimension", arguments: KernelCase.all.filter { $0.metric != .cosine })
    func wholeNumbersDoNotOverflow(_ test: KernelCase) throws {
        guard test.element == .int8 || test.element == .uint8 else { return }
        let kernel = try #require(kith_kernel_at(test.level, test.element.rawValue, test.metric.rawValue)).pointee
        for dimension in [Limits.dimension, Limits.dimension * 3 + 17] {
            let signed = test.element == .int8
            let low = [UInt8](repeating: signed ? 0x80 : 0, count: dimension)
            let high = [UInt8](repeating: signed ? 0x7F : 0xFF, count: dimension)
            let n = Float(dimension)
            let (apart, alike): (Float, Float) =
                switch test.metric {
                case .l2: (Float(65_025 * dimension), 0)
                case .l1: (255 * n, 0)
                default: signed ? (Float(16_256 * dimension), Float(-16_384 * dimension)) : (0, 0)
                }
            #expect(kernel.distance(low, high, dimension, 1) == apart)
            #expect(kernel.distance(low, low, dimension, 1) == alike)
            if !signed, test.metric == .dot {
                #expect(kernel.distance(high, high, dimension, 1) == Float(-65_025 * dimension))
            }
        }
    }

    @Test("floats at the ends of their range give no NaN", arguments: KernelCase.all)
    func extremeFloats(_ test: KernelCase) throws {
        guard test.element == .float32 else { return }
        let kernel = try #require(kith_kernel_at(test.level, test.element.rawValue, test.metric.rawValue)).pointee
        let dimension = 67
        func distance(_ a: [Float], _ b: [Float]) -> Float {
            kernel.distance(a, b, dimension, kith_query_scale(1, test.metric.rawValue, a, dimension))
        }
        let alternating = (0..<dimension).map { $0 % 2 == 0 ? Float.greatestFiniteMagnitude : -.greatestFiniteMagnitude }
        let huge = [Float](repeating: .greatestFiniteMagnitude, count: dimension)
        let tiny = [Float](repeating: .leastNonzeroMagnitude, count: dimension)
        let zero = [Float](repeating: 0, count: dimension)
        for a in [alternating, huge, tiny, zero] {
            for b in [alternating, huge, tiny, zero] { #expect(!distance(a, b).isNaN) }
        }
        if test.metric == .cosine {
            // The cosine knows no scale.
            #expect(abs(distance(huge, tiny)) < 1e-6)
            #expect(abs(distance(huge, huge)) < 1e-6)
            #expect(abs(distance(tiny, [Float](repeating: -1, count: dimension)) - 2) < 1e-6)
            #expect(distance(zero, huge) == 1)
            #expect(distance(huge, zero) == 1)
        }
    }
}
