import Foundation
import KithCore

/// How far the points that no commit tells of have come into a shard's state topic.
struct StateMark: Codable, Equatable, Sendable {
    /// Grows with each mark of a shard: of two the later counts.
    var number: UInt64
    /// Whether the topic is kept.
    var isKept: Bool
    /// Nothing is left to be done.
    var isComplete: Bool
    /// The last point that is in the topic, encoded; nil before the first.
    var after: Data?
    /// Points that were put there.
    var points: UInt64 = 0

    init(number: UInt64, isKept: Bool, isComplete: Bool) {
        self.number = number
        self.isKept = isKept
        self.isComplete = isComplete
    }

    init(decoding bytes: [UInt8], shard: ShardID) throws(KithError) {
        do { self = try JSONDecoder().decode(StateMark.self, from: Data(bytes)) } catch {
            throw KithError(.dataLoss, .corruption, "the state topic's mark of shard \(shard) cannot be read: \(error)")
        }
    }

    func encoded() throws(KithError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do { return Array(try encoder.encode(self)) } catch {
            throw KithError(.internal, .corruption, "the state topic's mark cannot be written: \(error)")
        }
    }
}
