import Foundation

/// One figure or word of a result.
enum Cell: Sendable, Encodable {
    case text(String)
    case count(Int)
    case decimal(Double, places: Int)
    /// Not measured here.
    case none

    var shown: String {
        switch self {
        case .text(let text): text
        case .count(let count): grouped(count)
        case .decimal(let value, let places): String(format: "%.\(places)f", value)
        case .none: "-"
        }
    }

    var isNumber: Bool {
        switch self {
        case .text: false
        case .count, .decimal, .none: true
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .count(let count): try container.encode(count)
        case .decimal(let value, let places):
            // Digits beyond those shown are noise.
            let scale = pow(10, Double(places))
            try container.encode((value * scale).rounded() / scale)
        case .none: try container.encodeNil()
        }
    }
}

/// Rows of one measurement. Columns are named as in the file, by units: `p99_us`, `disk_bytes`.
struct ResultTable: Sendable, Encodable {
    typealias Row = KeyValuePairs<String, Cell>

    /// The benchmark, and what distinguishes this table of it.
    var name: String
    var title: String
    private var columns: [String] = []
    private var rows: [[Cell]] = []

    init(_ name: String, _ title: String) {
        self.name = name
        self.title = title
    }

    /// Every row has the same columns.
    mutating func add(_ row: Row) {
        columns = row.map(\.key)
        rows.append(row.map(\.value))
    }

    var lines: [String] {
        let texts = [columns] + rows.map { $0.map(\.shown) }
        let widths = columns.indices.map { column in texts.map { $0[column].count }.max() ?? 0 }
        return texts.map { cells in
            cells.indices.map { column in
                rows.allSatisfy { $0[column].isNumber }
                    ? padLeft(cells[column], widths[column]) : pad(cells[column], widths[column])
            }.joined(separator: "  ")
        }
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: Key(stringValue: "name"))
        try container.encode(title, forKey: Key(stringValue: "title"))
        var list = container.nestedUnkeyedContainer(forKey: Key(stringValue: "rows"))
        for row in rows {
            var object = list.nestedContainer(keyedBy: Key.self)
            for (column, cell) in zip(columns, row) { try object.encode(cell, forKey: Key(stringValue: column)) }
        }
    }
}
