/// A point's name: a number, a UUID, or a text of at most `Limits.stringIDBytes`.
public enum PointID: Hashable, Sendable {
    case number(UInt64)
    case uuid(UUIDBytes)
    case string(String)

    /// The sixteen bytes of a UUID, as two big-endian halves.
    public struct UUIDBytes: Hashable, Sendable {
        public var high: UInt64
        public var low: UInt64

        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    /// The first byte of an encoded id.
    public enum Kind: UInt8, Sendable {
        case number = 1
        case uuid = 2
        case string = 3
    }

    /// Appends the canonical bytes: a kind byte, then big-endian numbers or UTF-8, so that byte order is id order.
    public func encode(into bytes: inout [UInt8]) {
        switch self {
        case .number(let number):
            bytes.append(Kind.number.rawValue)
            bytes.appendBigEndian(number)
        case .uuid(let uuid):
            bytes.append(Kind.uuid.rawValue)
            bytes.appendBigEndian(uuid.high)
            bytes.appendBigEndian(uuid.low)
        case .string(let text):
            bytes.append(Kind.string.rawValue)
            bytes.append(contentsOf: text.utf8)
        }
    }

    /// The canonical bytes.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Reads canonical bytes; nil when they are not an id.
    public init?(encoded bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.first, let kind = Kind(rawValue: first) else { return nil }
        switch kind {
        case .number:
            guard bytes.count == 9 else { return nil }
            self = .number(bytes.bigEndian(at: 1))
        case .uuid:
            guard bytes.count == 17 else { return nil }
            self = .uuid(UUIDBytes(high: bytes.bigEndian(at: 1), low: bytes.bigEndian(at: 9)))
        case .string:
            self = .string(String(decoding: bytes[1...], as: UTF8.self))
        }
    }
}

extension PointID {
    /// By bytes: texts that Unicode holds for the same are different ids.
    public static func == (left: PointID, right: PointID) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left == right
        case (.uuid(let left), .uuid(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .number(let number): hasher.combine(number)
        case .uuid(let uuid): hasher.combine(uuid)
        case .string(let text): for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

extension PointID: CustomStringConvertible {
    /// The number, the UUID in its usual form, or the text.
    public var description: String {
        switch self {
        case .number(let number): return "\(number)"
        case .uuid(let uuid):
            let digits = hexadecimal(uuid.high) + hexadecimal(uuid.low)
            let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)]
            return parts.map { String(digits.dropFirst($0.0).prefix($0.1 - $0.0)) }.joined(separator: "-")
        case .string(let text): return text
        }
    }
}

private func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
