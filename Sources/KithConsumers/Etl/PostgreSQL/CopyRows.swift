/// Rows in the text format of COPY: tabs between columns, `\N` for null.
struct CopyRows {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    mutating func add(_ cell: [UInt8]?) {
        if !isFirst { bytes.append(UInt8(ascii: "\t")) }
        isFirst = false
        guard let cell else { return bytes += Array(#"\N"#.utf8) }
        for byte in cell {
            switch byte {
            case UInt8(ascii: "\\"): bytes += Array(#"\\"#.utf8)
            case UInt8(ascii: "\t"): bytes += Array(#"\t"#.utf8)
            case UInt8(ascii: "\n"): bytes += Array(#"\n"#.utf8)
            case UInt8(ascii: "\r"): bytes += Array(#"\r"#.utf8)
            default: bytes.append(byte)
            }
        }
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        isFirst = true
    }
}
