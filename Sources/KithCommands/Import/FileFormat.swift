import KithCore

/// What `kith import` can read.
enum FileFormat: String, CaseIterable {
    case jsonl
    case csv
    case npy
    case fvecs
    case bvecs

    /// By the end of the file's name.
    init?(path: String) {
        guard let end = path.split(separator: ".").last?.lowercased() else { return nil }
        self.init(rawValue: end == "ndjson" ? "jsonl" : end)
    }

    /// Nil for formats that hold more than vectors.
    func vectorFile(_ path: String) throws(KithError) -> (any VectorFile)? {
        switch self {
        case .npy: try NpyFile(path)
        case .fvecs: try VecsFile(path, .float32)
        case .bvecs: try VecsFile(path, .uint8)
        case .jsonl, .csv: nil
        }
    }
}
