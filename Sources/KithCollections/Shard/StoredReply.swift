import KithCore

/// The first answer to a request id, as the store keeps it.
///
/// Bytes: position (8), then for each outcome its result (1), version (varint) and reason (sized).
extension CommitReply {
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(position)
        for outcome in outcomes {
            bytes.append(outcome.result.rawValue)
            bytes.appendVarint(outcome.version)
            bytes.appendSized(outcome.error?.rawValue ?? "")
        }
        return bytes
    }

    /// Reads it back, for a repeated request.
    init(replaying bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        let position: LogPosition = try reader.littleEndian()
        var outcomes: [WriteOutcome] = []
        while !reader.isAtEnd {
            guard let result = WriteOutcome.Result(rawValue: try reader.byte()) else {
                throw KithError(.dataLoss, .corruption, "a stored answer holds an unknown result")
            }
            outcomes.append(
                WriteOutcome(result, version: try reader.varint(), error: ErrorReason(rawValue: try reader.text())))
        }
        self.init(outcomes: outcomes, position: position, replayed: true)
    }
}
