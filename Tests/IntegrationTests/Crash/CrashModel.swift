import TestSupport
import Testing

/// What one writing thread knows of its own points: which state each must have, and what is in doubt after a crash.
///
/// Only this thread writes these keys, one request at a time, so only its last request can be in doubt.
struct CrashModel {
    /// A point's state as the thread wants it; nil where there is none.
    struct Wish: Equatable {
        var payload: String
        /// Components, in base64.
        var vector: String
    }

    /// The last request: its points' states after it, by key; nil inside: deleted.
    typealias Request = [PointKey: Wish?]

    private(set) var known: [PointKey: Wish] = [:]
    private var doubt: Request = [:]

    /// Before a request is sent.
    mutating func begin(_ request: Request) { doubt = request }

    /// It was acknowledged.
    mutating func acknowledge() {
        for (key, wish) in doubt { known[key] = wish }
        doubt = [:]
    }

    /// Compares with what the server has after a crash, and takes over what became of the request in doubt.
    ///
    /// - Parameters:
    ///   - keys: of this thread.
    ///   - shardOf: where a point lives: a request is one commit in each shard.
    mutating func check(_ keys: [PointKey], in points: [PointKey: PointContent], shardOf: [PointKey: Int]) {
        var done: [Int: Bool] = [:]
        for key in keys {
            let found = points[key].map { Wish(payload: $0.payload, vector: $0.vectors[""] ?? "") }
            guard let wish = doubt[key] else {
                #expect(found == known[key], "\(key) is not as it was acknowledged")
                continue
            }
            // Where the request would change nothing there is nothing to tell.
            if wish == known[key] {
                #expect(found == wish, "\(key) is neither as before nor as after the request in doubt")
                continue
            }
            #expect(found == wish || found == known[key], "\(key) is neither as before nor as after the request in doubt")
            let shard = shardOf[key] ?? -1
            #expect(done[shard] == nil || done[shard] == (found == wish), "half a request is done in shard \(shard)")
            done[shard] = found == wish
        }
        for (key, wish) in doubt { if done[shardOf[key] ?? -1] == true { known[key] = wish } }
        doubt = [:]
    }
}
