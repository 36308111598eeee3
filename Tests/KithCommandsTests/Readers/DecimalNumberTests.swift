import KithCommands
import Testing

@Suite struct DecimalNumberTests {
    private func float(_ text: String) throws -> Float { try DecimalNumber.float(Array(text.utf8)[...]) }

    @Test(arguments: [
        "0", "-0", "1", "-1.5", "3.4028235e38", "1e-45", "0.1", "123456789012345678901234567890", "1E5", "2.5e+3", "1e-30",
        "0.000000000000000000000000000000000000011754944", "16777217", "0.1234567890123456789",
    ])
    func agreesWithTheStandardLibrary(_ text: String) throws {
        #expect(try float(text) == Float(text))
    }

    @Test func everyFloatComesBack() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
            guard value.isFinite else { continue }
            #expect(try float("\(value)") == value, "\(value)")
            // Many more digits, and those right in the middle of two floats.
            let wide = Double(value)
            #expect(try float("\(wide)") == value, "\(wide)")
            let middle = (wide + Double(value.nextUp)) / 2
            if middle.isFinite { #expect(try float("\(middle)") == Float("\(middle)"), "\(middle)") }
        }
    }
}
