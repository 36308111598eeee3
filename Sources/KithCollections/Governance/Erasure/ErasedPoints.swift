import KithCore
import KithStorage

/// The points of one erasure, as long as it is under way: in rows of their own, some hundreds a row, which go when it is proved.
struct ErasedPoints {
    private struct Row: Codable { var ids: [PointID] }

    /// Points that are deleted as one request.
    static let rowPoints = 1_000

    let erasure: String
    let store: GovernanceStore

    /// All of them, by row.
    func rows() throws(KithError) -> [[PointID]] {
        try store.rows(.erasedPoints, under: Array(erasure.utf8) + [0], as: Row.self).map(\.ids)
    }

    func put(_ ids: [PointID], row: Int, into batch: WriteBatch) throws(KithError) {
        try store.put(Row(ids: ids), .erasedPoints, key: key(row), into: batch)
    }

    func remove(rows: Int, into batch: WriteBatch) throws(KithError) {
        for row in 0..<rows { try store.put(nil as Row?, .erasedPoints, key: key(row), into: batch) }
    }

    /// No name has a zero byte.
    private func key(_ row: Int) -> [UInt8] {
        var key = Array(erasure.utf8) + [0]
        key.appendBigEndian(UInt32(row))
        return key
    }
}
