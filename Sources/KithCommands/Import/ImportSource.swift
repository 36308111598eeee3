import KithCore

/// The file that is imported, and how its rows are read.
struct ImportSource {
    let path: String
    let format: FileFormat
    private let arguments: Arguments

    static let options = [
        Option(name: "format", value: "FORMAT", help: "jsonl, csv, npy, fvecs or bvecs (by the file's name)"),
        Option(name: "id-field", value: "NAME", help: "jsonl: field of the id (id)"),
        Option(name: "vector-field", value: "NAME", help: "jsonl: field of the one vector (vector)"),
        Option(name: "vectors-field", value: "NAME", help: "jsonl: field of an object of vectors, by vector space (vectors)"),
        Option(
            name: "payload-field", value: "NAME", help: "jsonl: field of the payload (payload); without it all other fields are"),
        Option(name: "id-column", value: "NAME", help: "csv: column of the id (id)"),
        Option(name: "vector-column", value: "NAME", help: "csv: column that holds a JSON array"),
        Option(name: "vector-columns", value: "LIST", help: "csv: columns of components: names, or a beginning such as 'v*'"),
        Option(name: "payload-jsonl", value: "FILE", help: "npy, fvecs, bvecs: a line of id and payload for each vector"),
    ]

    init(_ arguments: Arguments) throws(KithError) {
        path = arguments.operands[0]
        self.arguments = arguments
        let named = try arguments.choice("format", FileFormat.allCases.map { ($0.rawValue, $0) })
        guard let format = named ?? FileFormat(path: path) else {
            throw .usage("'\(path)' does not tell its format: --format must", key: "format")
        }
        self.format = format
    }

    /// - Parameter skip: rows up to this number are passed over.
    func reader(skip: Int) throws(KithError) -> any RowReader {
        var names = FieldNames()
        names.id = arguments.value("id-field") ?? names.id
        names.vector = arguments.value("vector-field") ?? names.vector
        names.vectors = arguments.value("vectors-field") ?? names.vectors
        names.payload = arguments.value("payload-field") ?? names.payload
        switch format {
        case .jsonl: return try JSONLReader(path, names: names, skip: skip)
        case .csv:
            return try CSVReader(path, idColumn: arguments.value("id-column") ?? "id", vector: try columns(), skip: skip)
        case .npy, .fvecs, .bvecs:
            guard let file = try format.vectorFile(path) else { throw .usage("'\(path)' holds no vectors") }
            return try VectorFileReader(file, payloads: arguments.value("payload-jsonl"), names: names, skip: skip)
        }
    }

    /// What tells this content from another: its length and its first mebibyte.
    func fingerprint() throws(KithError) -> String {
        let file = try InputFile(path)
        guard let size = file.size else { return "" }
        let sum = try file.bytes(1 << 20).withUnsafeBytes { checksum64($0) }
        return "\(size)-\(String(sum, radix: 16))"
    }

    private func columns() throws(KithError) -> CSVReader.VectorColumns? {
        switch (arguments.value("vector-column"), arguments.value("vector-columns")) {
        case (nil, nil): return nil
        case (let column?, nil): return .array(column)
        case (nil, let list?): return .components(list.split(separator: ",").map(String.init))
        case (_?, _?): throw .usage("--vector-column and --vector-columns exclude each other", key: "vector-columns")
        }
    }
}
