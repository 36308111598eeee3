import CVectorKernels
import KithCore
import Testing

@Suite struct VectorTests {
    private func narrow16(_ element: ElementType, _ value: Float) -> UInt16 {
        var result: UInt16 = 0
        #expect(kith_vector_narrow(element.rawValue, [value], 1, &result) == 1)
        return result
    }

    private func widen16(_ element: ElementType, _ pattern: UInt16) -> Float {
        var result: Float = 0
        withUnsafeBytes(of: pattern) { bytes in
            if let base = bytes.baseAddress { kith_vector_widen(element.rawValue, base, 1, &result) }
        }
        return result
    }

    @Test("every 16-bit pattern survives widening and narrowing", arguments: [ElementType.float16, .bfloat16])
    func roundTrips(_ element: ElementType) {
        var wrong = 0
        for pattern in UInt16.min...UInt16.max {
            let wide = widen16(element, pattern)
            let back = narrow16(element, wide)
            if wide.isNaN ? !widen16(element, back).isNaN : back != pattern { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    /// The 16-bit value nearest to a float, by comparing with both neighbours in double precision; ties go to even.
    private func nearest(_ element: ElementType, _ value: Float, from pattern: UInt16) -> UInt16 {
        var best = pattern
        for candidate in [pattern &- 1, pattern, pattern &+ 1] where (candidate ^ pattern) & 0x8000 == 0 {
            let there = widen16(element, candidate)
            guard there.isFinite else { continue }
            let error = abs(Double(there) - Double(value))
            let bestError = abs(Double(widen16(element, best)) - Double(value))
            if error < bestError || (error == bestError && candidate & 1 == 0) { best = candidate }
        }
        return best
    }

    @Test("narrowing rounds to the nearest, ties to even", arguments: [ElementType.float16, .bfloat16])
    func rounds(_ element: ElementType) {
        var random = SeededRandom(3)
        var wrong = 0
        for _ in 0..<200_000 {
            let exponent =
                element == .float16 ? Int.random(in: -26...15, using: &random) : Int.random(in: -140...126, using: &random)
            var value = Float(sign: .plus, exponent: exponent, significand: Float.random(in: 1..<2, using: &random))
            // Every fourth is a tie or close to one.
            if Int.random(in: 0..<4, using: &random) == 0 {
                let kept: UInt32 = element == .float16 ? 0xFFFF_F000 : 0xFFFF_8000
                value = Float(bitPattern: value.bitPattern & kept)
            }
            let pattern = narrow16(element, value)
            if widen16(element, pattern).isFinite, nearest(element, value, from: pattern) != pattern { wrong += 1 }
            if narrow16(element, -value) != pattern | 0x8000 { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func float16Edges() {
        #expect(narrow16(.float16, 65_504) == 0x7BFF)
        #expect(narrow16(.float16, 65_519.996) == 0x7BFF)
        #expect(narrow16(.float16, 65_520) == 0x7C00)
        #expect(narrow16(.float16, -.infinity) == 0xFC00)
        #expect(widen16(.float16, narrow16(.float16, .nan)).isNaN)
        #expect(narrow16(.float16, 0x1p-24) == 1)
        #expect(narrow16(.float16, 0x1p-25) == 0)
        #expect(narrow16(.float16, 0x1.8p-25) == 1)
        #expect(narrow16(.float16, 0x1.8p-24) == 2)
        #expect(narrow16(.float16, -0.0) == 0x8000)
        #expect(narrow16(.bfloat16, .greatestFiniteMagnitude) == 0x7F80)
        #expect(narrow16(.bfloat16, .infinity) == 0x7F80)
        #expect(widen16(.bfloat16, narrow16(.bfloat16, .nan)).isNaN)
    }

    @Test("whole numbers and bits are narrowed exactly or not at all")
    func narrowsWholeNumbers() {
        #expect(narrow(.int8, [-128, 127, 0, -1]) == [0x80, 0x7F, 0, 0xFF])
        #expect(narrow(.uint8, [0, 255, 1, 128]) == [0, 255, 1, 128])
        #expect(narrow(.binary, [1, 0, 1, 1, 0, 0, 0, 0, 0, 1]) == [0b1101, 0b10])
        for bad: Float in [0.5, 128, -129, .nan, .infinity, 1e30] { #expect(firstBad(.int8, [1, 2, bad]) == 2) }
        for bad: Float in [-1, 256, 0.25, .nan, -.infinity] {
            #expect(firstBad(.uint8, [1, bad, 2]) == 1)
            #expect(firstBad(.binary, [bad, 1]) == 0)
        }
    }

    private func narrow(_ element: ElementType, _ components: [Float]) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: element.byteCount(dimension: components.count))
        let narrowed = kith_vector_narrow(element.rawValue, components, components.count, &bytes)
        return narrowed == components.count ? bytes : nil
    }

    private func firstBad(_ element: ElementType, _ components: [Float]) -> Int {
        var bytes = [UInt8](repeating: 0, count: components.count)
        return kith_vector_narrow(element.rawValue, components, components.count, &bytes)
    }

    @Test("checks find what is not finite and what is all zero", arguments: ElementType.allCases)
    func checks(_ element: ElementType) {
        let zero = UInt32(KITH_VECTOR_ZERO)
        let nonFinite = UInt32(KITH_VECTOR_NON_FINITE)
        for dimension in Array(1...70) + [1_000] {
            var bytes = [UInt8](repeating: 0, count: element.byteCount(dimension: dimension))
            #expect(kith_vector_check(element.rawValue, bytes, dimension) == zero)
            for place in [0, dimension / 2, dimension - 1] {
                var components = [Float](repeating: 0, count: dimension)
                components[place] = 1
                _ = kith_vector_narrow(element.rawValue, components, dimension, &bytes)
                #expect(kith_vector_check(element.rawValue, bytes, dimension) == 0)
                guard element.isFloatingPoint else { continue }
                for bad in [Float.nan, .infinity, -.infinity] {
                    components[place] = bad
                    _ = kith_vector_narrow(element.rawValue, components, dimension, &bytes)
                    #expect(kith_vector_check(element.rawValue, bytes, dimension) == nonFinite)
                }
                components[place] = -0.0
                _ = kith_vector_narrow(element.rawValue, components, dimension, &bytes)
                #expect(kith_vector_check(element.rawValue, bytes, dimension) == zero)
            }
        }
    }
}
