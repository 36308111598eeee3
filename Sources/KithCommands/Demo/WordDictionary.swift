import Foundation
import KithAPI
import KithCore

/// The demo's data: words, their definitions, and what the definitions mean as vectors.
struct WordDictionary: Sendable {
    static let dimension = 384
    static let model = "sentence-transformers/all-MiniLM-L6-v2"

    struct Entry: Sendable {
        var id: PointID
        var word: String
        var vector: [Float]
        /// The line of `entries.jsonl` without its id.
        var payload: String
    }

    /// What a payload says.
    struct Payload: Decodable {
        var word: String
        var definition: String
    }

    let entries: [Entry]
    private let byWord: [String: Int]

    /// - Throws: where files are missing, how to name their folder.
    init(folder: String) throws(KithError) {
        let (vectors, lines) = ("\(folder)/embeddings_f16.npy", "\(folder)/entries.jsonl")
        for path in [vectors, lines] where !Files.exists(path) {
            throw .usage(
                "there is no \(path): run the demo in the root of the repository, or name the folder with --data", key: "data")
        }
        let reader = try VectorFileReader(try NpyFile(vectors), payloads: lines, names: FieldNames())
        var entries: [Entry] = []
        while let row = try reader.next() {
            switch row.point {
            case .success(let point):
                guard case .stored(let bytes, let element)? = point.vectors.first?.components else { continue }
                entries.append(
                    Entry(
                        id: point.id, word: try WordDictionary.payload(point.payload).word,
                        vector: VectorComponents.floats(bytes, element), payload: point.payload))
            case .failure(let problem): throw .usage("\(lines) line \(row.number): \(problem.reason)", key: "data")
            }
        }
        guard entries.count >= 1_000, entries[0].vector.count == WordDictionary.dimension else {
            throw .usage("\(folder) is not the dictionary: it has \(entries.count) entries", key: "data")
        }
        self.entries = entries
        byWord = Dictionary(entries.enumerated().map { ($1.word, $0) }) { first, _ in first }
    }

    func entry(_ word: String) throws(KithError) -> Entry {
        guard let index = byWord[word] else { throw .usage("the dictionary has no word '\(word)'", key: "data") }
        return entries[index]
    }

    static func payload(_ text: String) throws(KithError) -> Payload { try MessageJSON.value(Data(text.utf8)) }
}
