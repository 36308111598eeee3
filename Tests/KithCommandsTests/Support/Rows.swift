import KithCommands
import KithCore

/// All rows of a reader.
func rows(_ reader: any RowReader) throws -> [Row] {
    var rows: [Row] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
}

extension Row {
    var reason: String? {
        guard case .failure(let problem) = point else { return nil }
        return problem.reason
    }

    var id: PointID? { try? point.get().id }

    /// The first vector's numbers.
    var numbers: [Float]? {
        guard case .numbers(let values)? = (try? point.get())?.vectors.first?.components else { return nil }
        return values
    }

    var payload: String? { try? point.get().payload }
}
