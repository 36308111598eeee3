/// Something that happened, other than to a point: what the node's own log is made of.
public struct Fact: Sendable {
    /// Raw values are those of rows.
    public enum Kind: UInt8, Sendable {
        case catalogue = 1
        case audit = 2
        case governance = 3
        case lineage = 4
    }

    public var kind: Kind
    /// JSON; by kind.
    public var body: ByteView
    /// Keeps the body, where that is not the row.
    public var owner: OwnedBytes?

    public init(_ kind: Kind, body: OwnedBytes) {
        self.kind = kind
        self.body = body.view
        owner = body
    }

    /// Reads a fact of a row; the body borrows from it.
    init(_ reader: inout ByteReader) throws(KithError) {
        let code = try reader.byte()
        guard let kind = Kind(rawValue: code) else {
            throw KithError(.dataLoss, .corruption, "a change-log row holds an unknown fact \(code)")
        }
        self.kind = kind
        body = ByteView(try reader.sized())
    }
}
