/// Something that happened, other than to a point: what the node's own log is made of.
///
/// Bytes in a row: kind (1), then type, key, subject and body, each sized.
public struct Fact: Sendable {
    /// Raw values are those of rows.
    public enum Kind: UInt8, Sendable {
        case catalogue = 1
        case audit = 2
        case governance = 3
        /// Its body is JSON, and whole.
        case lineage = 4
    }

    public var kind: Kind
    /// The CloudEvents type of its event.
    public var type: ByteView
    /// The key and the subject of its record.
    public var key: ByteView
    public var subject: ByteView
    /// The event as a serialised message of its kind, without id and source, which the commit gives it.
    public var body: ByteView
    /// Keeps the views, where that is not the row.
    private var owners: [OwnedBytes] = []

    public init(_ kind: Kind, type: String, key: String, subject: String, body: OwnedBytes) {
        self.kind = kind
        let texts = [type, key, subject].map { OwnedBytes(Array($0.utf8)) }
        self.type = texts[0].view
        self.key = texts[1].view
        self.subject = texts[2].view
        self.body = body.view
        owners = texts + [body]
    }

    /// Reads a fact of a row; it borrows from it.
    init(_ reader: inout ByteReader) throws(KithError) {
        let code = try reader.byte()
        guard let kind = Kind(rawValue: code) else {
            throw KithError(.dataLoss, .corruption, "a change-log row holds an unknown fact \(code)")
        }
        self.kind = kind
        type = ByteView(try reader.sized())
        key = ByteView(try reader.sized())
        subject = ByteView(try reader.sized())
        body = ByteView(try reader.sized())
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        for view in [type, key, subject, body] { bytes.appendSized(view.bytes) }
    }
}
