/// Ages as people write them: `90s`, `30m`, `12h` or `30d`.
package enum AgeText {
    private static let units: [Character: UInt32] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    /// Nil where the text is no age, or one of nothing.
    package static func seconds(_ text: String) -> UInt32? {
        guard let unit = text.last.flatMap({ units[$0] }), let count = UInt32(text.dropLast()), count > 0 else { return nil }
        let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit)
        return isTooLong ? nil : seconds
    }
}
