/// How far the points that were there before the state topic was turned on have come into it.
public enum StateSnapshotProgress: Equatable, Sendable {
    /// The topic is not kept.
    case off
    /// It is to be kept, and the relay has not come to it yet.
    case waiting
    /// So many points are there, and more follow.
    case running(points: UInt64)
    /// All are there, so many of them as a snapshot; whatever comes now are changes.
    case done(points: UInt64)

    /// Points that are there.
    public var points: UInt64 {
        switch self {
        case .off, .waiting: 0
        case .running(let points), .done(let points): points
        }
    }
}
