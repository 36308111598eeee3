/// In JSON an object with one key, as protobuf has it: `{"number": "7"}`, `{"uuid": "0f..."}` or `{"name": "a"}`.
extension PointID: Codable {
    private enum Form: String, CodingKey {
        case number, uuid, name
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Form.self)
        if let name = try fields.decodeIfPresent(String.self, forKey: .name) {
            self = .string(name)
        } else if let number = try fields.decodeIfPresent(String.self, forKey: .number).flatMap({ UInt64($0) }) {
            self = .number(number)
        } else {
            let digits = try fields.decode(String.self, forKey: .uuid).filter { $0 != "-" }
            guard digits.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
                let low = UInt64(digits.suffix(16), radix: 16)
            else { throw DecodingError.dataCorruptedError(forKey: .uuid, in: fields, debugDescription: "no UUID") }
            self = .uuid(UUIDBytes(high: high, low: low))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Form.self)
        switch self {
        case .number(let number): try fields.encode("\(number)", forKey: .number)
        case .uuid: try fields.encode(description, forKey: .uuid)
        case .string(let text): try fields.encode(text, forKey: .name)
        }
    }
}
