/// Names that people give: of collections, aliases, vector spaces, webhooks.
public enum ResourceName {
    /// 1 to 128 of letters, digits, '.', '_' and '-', beginning with a letter or digit: fit for topics and folders.
    ///
    /// - Throws: `REQUIRED_FIELD_MISSING`, `INVALID_NAME`, about `field`.
    public static func check(_ name: String, field: String) throws(KithError) {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        let others = [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")]
        guard (1...Limits.nameBytes).contains(name.utf8.count) else {
            throw .invalid(
                name.isEmpty ? .requiredFieldMissing : .invalidName, field: field,
                "has \(name.utf8.count) bytes, it must have 1 to \(Limits.nameBytes)",
                metadata: ["value": "\(name.utf8.count)", "limit": "\(Limits.nameBytes)"])
        }
        guard name.utf8.allSatisfy({ isAlphanumeric($0) || others.contains($0) }), name.utf8.first.map(isAlphanumeric) == true
        else {
            throw .invalid(
                .invalidName, field: field,
                "'\(name)' must be letters, digits, '.', '_' and '-', beginning with a letter or digit",
                metadata: ["name": name])
        }
    }
}
