/// What a legal hold keeps of a collection.
public enum HeldPoints: Sendable, Hashable, Codable {
    case whole
    case points([PointID])
    /// Points whose payload has this value, as JSON, at this path: keys joined by dots; lists on the way stand for each of their elements.
    case field(String, value: String)
}

/// A legal hold that stands: what it keeps can be neither changed nor deleted.
public struct StandingHold: Sendable, Hashable {
    public var name: String
    public var held: HeldPoints

    public init(name: String, held: HeldPoints) {
        self.name = name
        self.held = held
    }
}

/// The holds that stand on a collection, in the form that `apply` asks.
public final class LegalHolds: Sendable {
    public static let none = LegalHolds([])

    public let standing: [StandingHold]
    /// The first hold on everything.
    public let whole: String?
    /// Names of holds by point.
    public let points: [PointID: String]
    public let fields: [(path: String, value: String, hold: String)]

    public init(_ standing: [StandingHold]) {
        self.standing = standing
        var whole: String?
        var points: [PointID: String] = [:]
        var fields: [(String, String, String)] = []
        for hold in standing {
            switch hold.held {
            case .whole: whole = whole ?? hold.name
            case .points(let ids): for id in ids where points[id] == nil { points[id] = hold.name }
            case .field(let path, let value): fields.append((path, value, hold.name))
            }
        }
        self.whole = whole
        self.points = points
        self.fields = fields
    }

    public var isEmpty: Bool { standing.isEmpty }
}

extension KithError {
    /// A write to a point that must stay as it is.
    public static func held(_ id: PointID, by hold: String) -> KithError {
        KithError(
            .failedPrecondition, .legalHold,
            "point \(id) is held by '\(hold)': it can be neither changed nor deleted until the hold is released",
            metadata: ["point": id.description, "hold": hold])
    }
}
