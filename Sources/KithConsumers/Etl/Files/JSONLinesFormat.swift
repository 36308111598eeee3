import KithCommands
import KithCore

/// One JSON object a change. The payload stays as it was written.
package struct JSONLinesFormat: RowFormat {
    let vectors: VectorStyle

    package init(vectors: VectorStyle) { self.vectors = vectors }

    package var fileExtension: String { "jsonl" }
    package func header(_ columns: [String]) -> [UInt8] { [] }
    package func fields(of change: ChangeRecord) -> [String] { [] }

    package func row(_ change: ChangeRecord, _ columns: [String]) -> [UInt8] {
        var members = [
            "\"event\":\(PointText.quoted(change.id))",
            "\"op\":\"\(change.operation.rawValue)\"",
            "\"id\":\(PointText.id(change.point))",
            "\"version\":\(change.version)",
            "\"time\":\"\(change.timestamp)\"",
        ]
        if let after = change.after {
            members.append("\"payload\":\(after.payload.isEmpty ? "null" : after.payload)")
            let texts = VectorText.all(after, vectors).map { "\(PointText.quoted($0.space)):\($0.text)" }
            if !texts.isEmpty { members.append("\"vectors\":{\(texts.joined(separator: ","))}") }
        }
        return Array("{\(members.joined(separator: ","))}\n".utf8)
    }
}

/// Vectors of events as text.
enum VectorText {
    /// The vectors that the event carries in full, as JSON arrays.
    static func all(_ image: ChangeRecord.Image, _ style: VectorStyle) -> [(space: String, text: String)] {
        guard case .numbers(let element) = style else { return [] }
        return image.vectors.filter { !$0.data.isEmpty }.map { vector in
            (vector.space, text(VectorComponents.floats(vector.data, element)))
        }
    }

    /// What is no number has no JSON.
    private static func text(_ values: [Float]) -> String {
        "[\(values.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ","))]"
    }
}
