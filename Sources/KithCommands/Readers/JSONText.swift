import Foundation

/// Cuts JSON text into pieces without reading more of it than is needed: payloads stay as they were written.
///
/// It finds where values end, and reads numbers and strings; the server judges what a payload holds.
package struct JSONText {
    private let bytes: ArraySlice<UInt8>
    private var place: Int

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    /// The members of an object, in order.
    package static func members(_ text: ArraySlice<UInt8>) throws(RowProblem) -> [(key: String, value: ArraySlice<UInt8>)] {
        var cursor = JSONText(text)
        var members: [(key: String, value: ArraySlice<UInt8>)] = []
        try cursor.list(UInt8(ascii: "{"), UInt8(ascii: "}"), "a JSON object") { cursor throws(RowProblem) in
            let key = try JSONText.string(try cursor.value())
            try cursor.expect(UInt8(ascii: ":"))
            members.append((key, try cursor.value()))
        }
        return members
    }

    /// The elements of an array.
    package static func elements(_ text: ArraySlice<UInt8>) throws(RowProblem) -> [ArraySlice<UInt8>] {
        var cursor = JSONText(text)
        var elements: [ArraySlice<UInt8>] = []
        try cursor.list(UInt8(ascii: "["), UInt8(ascii: "]"), "a JSON array") { cursor throws(RowProblem) in
            elements.append(try cursor.value())
        }
        return elements
    }

    /// An array of numbers.
    package static func numbers(_ text: ArraySlice<UInt8>) throws(RowProblem) -> [Float] {
        var cursor = JSONText(text)
        var numbers: [Float] = []
        try cursor.list(UInt8(ascii: "["), UInt8(ascii: "]"), "an array of numbers") { cursor throws(RowProblem) in
            numbers.append(try DecimalNumber.float(try cursor.value()))
        }
        return numbers
    }

    /// A string, its escapes resolved.
    package static func string(_ text: ArraySlice<UInt8>) throws(RowProblem) -> String {
        guard text.count >= 2, text.first == UInt8(ascii: "\"") else {
            throw RowProblem("'\(excerpt(text))' is not a JSON string")
        }
        let inside = text.dropFirst().dropLast()
        if !inside.contains(UInt8(ascii: "\\")), let plain = String(validating: inside, as: UTF8.self) { return plain }
        guard let value = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) as? String else {
            throw RowProblem("'\(excerpt(text))' is not a JSON string")
        }
        return value
    }

    package static func isNull(_ text: ArraySlice<UInt8>) -> Bool { text.elementsEqual("null".utf8) }

    package static func excerpt(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: text.prefix(40), as: UTF8.self) + (text.count > 40 ? "..." : "")
    }

    // MARK: The cursor

    /// Entries between `open` and `close`, with commas; nothing may follow.
    private mutating func list(
        _ open: UInt8, _ close: UInt8, _ what: String, _ entry: (inout JSONText) throws(RowProblem) -> Void
    ) throws(RowProblem) {
        skipSpace()
        guard peek == open else { throw RowProblem("'\(JSONText.excerpt(bytes))' is not \(what)") }
        place += 1
        skipSpace()
        if peek == close {
            place += 1
        } else {
            repeat { try entry(&self) } while try separator(close)
        }
        skipSpace()
        if place < bytes.endIndex { throw trouble("unexpected text") }
    }

    /// True after a comma, false after `close`.
    private mutating func separator(_ close: UInt8) throws(RowProblem) -> Bool {
        skipSpace()
        guard let next = peek, next == close || next == UInt8(ascii: ",") else { throw trouble("',' or the end is missing") }
        place += 1
        return next != close
    }

    private mutating func expect(_ byte: UInt8) throws(RowProblem) {
        skipSpace()
        guard peek == byte else { throw trouble("'\(UnicodeScalar(byte))' is missing") }
        place += 1
    }

    /// One whole value.
    private mutating func value() throws(RowProblem) -> ArraySlice<UInt8> {
        skipSpace()
        let start = place
        var depth = 0
        repeat {
            guard let byte = peek else { throw trouble("the text ends early") }
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                place += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                place += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
                guard depth > 0 else { throw trouble("a value is missing") }
                place += 1
            default: skipWord()
            }
            guard depth >= 0 else { throw trouble("a value is missing") }
        } while depth > 0
        return bytes[start..<place]
    }

    private mutating func skipString() throws(RowProblem) {
        place += 1
        while let byte = peek {
            place += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        throw trouble("a string does not end")
    }

    /// A number, true, false or null; whatever else it may be is not for us to judge.
    private mutating func skipWord() {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"),
                UInt8(ascii: "\""), 0x20, 0x09, 0x0A, 0x0D:
                return
            default: place += 1
            }
        }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
    }

    private var peek: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

    private func trouble(_ what: String) -> RowProblem {
        RowProblem("malformed JSON at column \(min(place, bytes.endIndex) - bytes.startIndex + 1): \(what)")
    }
}
