/// Decimal text to binary numbers.
package enum DecimalNumber {
    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
        1e22,
    ]

    /// A number as JSON writes it, rounded to nearest.
    ///
    /// Nineteen digits fit an integer and powers of ten up to 22 are exact in a double (after Clinger, "How to Read Floating Point Numbers
    /// Accurately", 1990), so that one operation gives the double within two units of its last place. That decides the float, unless it
    /// lies so near the middle of two floats that the rest of the digits must; those few go the slow way.
    package static func float(_ text: ArraySlice<UInt8>) throws(RowProblem) -> Float {
        var place = text.startIndex
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { place += 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var hasPoint = false
        while place < text.endIndex {
            let byte = text[place]
            if let digit = digit(byte) {
                // Wraps only for so many digits that the slow way is taken anyway.
                mantissa = mantissa &* 10 &+ digit
                if mantissa > 0 { digits += 1 }
                if hasPoint { exponent -= 1 }
            } else if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            place += 1
        }
        if place < text.endIndex {
            guard text[place] | 0x20 == UInt8(ascii: "e"),
                let shift = Int(String(decoding: text[(place + 1)...], as: UTF8.self)), abs(shift) < 10_000
            else { throw notANumber(text) }
            exponent += shift
        }
        guard digits <= 19, abs(exponent) <= 22, text.last.flatMap(digit) != nil else { return try slow(text) }
        let value = exponent < 0 ? Double(mantissa) / powers[-exponent] : Double(mantissa) * powers[exponent]
        guard mantissa == 0 || decides(value) else { return try slow(text) }
        return Float(isNegative ? -value : value)
    }

    /// Whether the doubles beside `value` round to the same normal float: its last 29 bits are what a float lacks.
    private static func decides(_ value: Double) -> Bool {
        let rest = Int64(value.bitPattern & 0x1FFF_FFFF)
        return abs(rest - 0x1000_0000) > 4 && value >= Double(Float.leastNormalMagnitude)
            && value <= Double(Float.greatestFiniteMagnitude)
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? UInt64(byte - UInt8(ascii: "0")) : nil
    }

    private static func slow(_ text: ArraySlice<UInt8>) throws(RowProblem) -> Float {
        // Swift reads more than JSON allows, such as "nan", "0x1" and "+1".
        let isPlain = text.allSatisfy { digit($0) != nil || "+-.eE".utf8.contains($0) } && text.first != UInt8(ascii: "+")
        guard isPlain, let value = Float(String(decoding: text, as: UTF8.self)), value.isFinite else { throw notANumber(text) }
        return value
    }

    private static func notANumber(_ text: ArraySlice<UInt8>) -> RowProblem {
        RowProblem("'\(JSONText.excerpt(text))' is not a number that fits")
    }
}
