import KithCore
import KithEvents

extension KafkaConsumer {
    /// Reads until `count` records have come, or nothing more comes for ten seconds.
    func read(_ count: Int) throws -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        while records.count < count {
            let more = try poll(milliseconds: 10_000)
            if more.isEmpty { break }
            records += more
        }
        return records
    }

    /// Reads until an event of each id has come in each partition, or nothing more comes for ten seconds: by partition, the ids in the
    /// order they came.
    func readIDs(until expected: [[String]]) throws -> [[String]] {
        var ids = expected.map { _ in [String]() }
        var missing = Set(expected.joined())
        while !missing.isEmpty {
            let records = try poll(milliseconds: 10_000)
            if records.isEmpty { break }
            for record in records {
                let id = record.header("ce_id") ?? "?"
                missing.remove(id)
                ids[record.partition].append(id)
            }
        }
        return ids
    }
}

/// The ids without later copies.
func unique(_ ids: [String]) -> [String] {
    var seen: Set<String> = []
    return ids.filter { seen.insert($0).inserted }
}
