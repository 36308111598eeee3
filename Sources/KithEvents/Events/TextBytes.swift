import KithCore

/// Texts of events, written as bytes: an event is too often made for `String` and Foundation.
extension [UInt8] {
    mutating func append(text: String) { append(contentsOf: text.utf8) }

    /// - Parameter minimum: of digits, zeros in front; at most 20.
    mutating func append(decimal value: UInt64, digits minimum: Int = 1) {
        // 20 digits hold any 64-bit number.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0 || start > 20 - minimum
            append(contentsOf: UnsafeRawBufferPointer(digits)[start..<20])
        }
    }

    /// Sorts as the events of one shard do.
    mutating func append(sequencePosition position: LogPosition, index: UInt64) {
        append(decimal: position, digits: 20)
        append(UInt8(ascii: "."))
        append(decimal: index, digits: 5)
    }

    /// The text of a point's id, as `PointID.description` has it.
    mutating func append(id: PointID) {
        switch id {
        case .number(let number): append(decimal: number)
        case .string(let text): append(text: text)
        case .uuid(let uuid):
            append(hexadecimal: uuid.high >> 32, digits: 8)
            for (value, digits) in [(uuid.high >> 16, 4), (uuid.high, 4), (uuid.low >> 48, 4), (uuid.low, 12)] {
                append(UInt8(ascii: "-"))
                append(hexadecimal: value, digits: digits)
            }
        }
    }

    /// RFC 3339 in UTC with microseconds.
    ///
    /// - Parameter microseconds: since 1970.
    mutating func append(timestamp microseconds: Int64) {
        let (seconds, fraction) = microseconds.flooredDivision(by: 1_000_000)
        let (days, secondOfDay) = seconds.flooredDivision(by: 86_400)
        let date = civilDate(daysSince1970: days)
        append(date.year, digits: 4)
        append(UInt8(ascii: "-"))
        append(date.month, digits: 2)
        append(UInt8(ascii: "-"))
        append(date.day, digits: 2)
        append(UInt8(ascii: "T"))
        append(secondOfDay / 3_600, digits: 2)
        append(UInt8(ascii: ":"))
        append(secondOfDay / 60 % 60, digits: 2)
        append(UInt8(ascii: ":"))
        append(secondOfDay % 60, digits: 2)
        append(UInt8(ascii: "."))
        append(fraction, digits: 6)
        append(UInt8(ascii: "Z"))
    }

    private mutating func append(hexadecimal value: UInt64, digits: Int) {
        for place in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: value >> (4 * UInt64(place))) & 0xF
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    private mutating func append(_ value: Int64, digits: Int) {
        var divisor = (1..<digits).reduce(into: Int64(1)) { product, _ in product *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Years begin in March, so that the leap day comes last; an era is 400 years, 146,097 days.
    let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
}
