import KithCore

/// The texts of one event in one buffer, used again for the next: time, request id and id prefix stay for the whole commit.
struct EventText {
    static let subjectPrefix = "points/"

    private(set) var bytes: [UInt8] = []
    private(set) var time = 0..<0
    private(set) var request = 0..<0
    /// `<cluster>/<collection id>.<shard>/<position>`.
    private(set) var commit = 0..<0
    /// Position and index, padded: texts of one shard sort as its events do.
    private(set) var sequence = 0..<0
    /// `<cluster>/<collection id>.<shard>/<position>/<index>`; for a READ, `points/<point>` stands for the index.
    private(set) var id = 0..<0
    /// `points/<point>`.
    private(set) var subject = 0..<0
    /// The sixteen bytes of a UUID; empty for other ids.
    private(set) var uuid = 0..<0
    /// Names of changed fields.
    private(set) var fields: [Range<Int>] = []

    /// The point's id as text.
    var key: Range<Int> { subject.lowerBound + EventText.subjectPrefix.utf8.count..<subject.upperBound }

    mutating func begin(_ commit: Commit, shard: ShardID, cluster: String) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(timestamp: commit.time)
        time = 0..<bytes.count
        bytes.append(text: commit.requestID)
        request = time.upperBound..<bytes.count
        bytes.append(text: cluster)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(decimal: UInt64(shard.collection))
        bytes.append(UInt8(ascii: "."))
        bytes.append(decimal: UInt64(shard.shard))
        bytes.append(UInt8(ascii: "/"))
        bytes.append(decimal: commit.position)
        self.commit = request.upperBound..<bytes.count
        bytes.append(UInt8(ascii: "/"))
        prefixEnd = bytes.count
        position = commit.position
    }

    mutating func beginEvent(_ operation: ChangeOperation, index: Int, point: PointID) {
        bytes.removeSubrange(prefixEnd...)
        fields.removeAll(keepingCapacity: true)
        if operation == .read {
            bytes.append(text: EventText.subjectPrefix)
            bytes.append(id: point)
        } else {
            bytes.append(decimal: UInt64(index))
        }
        id = request.upperBound..<bytes.count
        bytes.append(text: EventText.subjectPrefix)
        bytes.append(id: point)
        subject = id.upperBound..<bytes.count
        if case .uuid(let value) = point {
            bytes.appendBigEndian(value.high)
            bytes.appendBigEndian(value.low)
        }
        uuid = subject.upperBound..<bytes.count
        // Points of a snapshot have no order among themselves.
        bytes.append(sequencePosition: position, index: operation == .read ? 0 : UInt64(index))
        sequence = uuid.upperBound..<bytes.count
    }

    /// Lengthens the id of this event; once, and before its fields.
    mutating func appendToID(_ suffix: String) {
        let start = bytes.count
        bytes.append(contentsOf: bytes[id])
        bytes.append(text: suffix)
        id = start..<bytes.count
    }

    mutating func appendField(_ prefix: String, _ name: String = "") {
        let start = bytes.count
        bytes.append(text: prefix)
        bytes.append(text: name)
        fields.append(start..<bytes.count)
    }

    private var prefixEnd = 0
    private var position: LogPosition = 0
}
