import KithCore

/// Bytes of points gathered for one answer: what no message could carry is refused before it is all in memory.
struct AnswerBudget {
    private var bytes = 0

    /// - Throws: `MESSAGE_TOO_LARGE` past `Limits.messageBytes`.
    mutating func add(_ point: StoredPoint) throws(KithError) {
        bytes += point.payload.count + point.vectors.reduce(0) { $0 + $1.bytes.count }
        guard bytes > Limits.messageBytes else { return }
        throw KithError(
            .resourceExhausted, .messageTooLarge,
            "the answer would have over \(bytes) bytes, the limit is \(Limits.messageBytes): ask for less at a time",
            metadata: ["value": "\(bytes)", "limit": "\(Limits.messageBytes)"])
    }
}
