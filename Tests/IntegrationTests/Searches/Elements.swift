import Foundation
import TestSupport

/// An element type as a client sees it: bytes out, numbers back, and what each metric says of them.
struct Element: Sendable {
    let name: String
    let metrics: [String]
    /// A random component, and its bytes.
    let component: @Sendable (inout SeededGenerator) -> (Double, [UInt8])

    static let numeric = ["COSINE", "DOT", "L2", "L1"]

    static let all: [Element] = [
        Element(name: "FLOAT32", metrics: numeric) { random in
            let value = Float.random(in: -1...1, using: &random)
            return (Double(value), littleEndian(value.bitPattern))
        },
        Element(name: "FLOAT16", metrics: numeric) { random in
            let value = Float16(Float.random(in: -1...1, using: &random))
            return (Double(value), littleEndian(value.bitPattern))
        },
        Element(name: "BFLOAT16", metrics: numeric) { random in
            let bits = Float.random(in: -1...1, using: &random).bitPattern >> 16
            return (Double(Float(bitPattern: bits << 16)), littleEndian(UInt16(bits)))
        },
        Element(name: "INT8", metrics: numeric) { random in
            let value = Int8.random(in: .min ... .max, using: &random)
            return (Double(value), [UInt8(bitPattern: value)])
        },
        Element(name: "UINT8", metrics: numeric) { random in
            let value = UInt8.random(in: .min ... .max, using: &random)
            return (Double(value), [value])
        },
        // Eight components at a time, lowest bit first.
        Element(name: "BINARY", metrics: ["HAMMING", "JACCARD"]) { random in
            let value = UInt8.random(in: .min ... .max, using: &random)
            return (Double(value), [value])
        },
    ]

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    var isBinary: Bool { name == "BINARY" }

    /// A vector of so many components (bytes of them, for bits).
    func vector(_ count: Int, _ random: inout SeededGenerator) -> (numbers: [Double], bytes: [UInt8]) {
        let components = (0..<count).map { _ in component(&random) }
        return (components.map(\.0), components.flatMap(\.1))
    }
}

/// The scores of the protos, computed the plain way.
func score(_ metric: String, _ left: [Double], _ right: [Double]) -> Double {
    func sum(_ term: (Double, Double) -> Double) -> Double { zip(left, right).reduce(0) { $0 + term($1.0, $1.1) } }
    func bits(_ combine: (UInt8, UInt8) -> UInt8) -> Double { sum { Double(combine(UInt8($0), UInt8($1)).nonzeroBitCount) } }
    switch metric {
    case "COSINE": return sum(*) / (sum { left, _ in left * left } * sum { _, right in right * right }).squareRoot()
    case "DOT": return sum(*)
    case "L2": return sum { ($0 - $1) * ($0 - $1) }.squareRoot()
    case "L1": return sum { abs($0 - $1) }
    case "HAMMING": return bits(^)
    default: return 1 - bits(&) / bits(|)
    }
}
