internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Lends walks to searches; keeps at most `Limits.searchScratches`.
final class WalkPool: Sendable {
    private let context: IndexContext
    private let free = Mutex<[GraphWalk]>([])

    init(_ context: IndexContext) { self.context = context }

    func withWalk<Result>(_ body: (GraphWalk) throws(KithError) -> Result) throws(KithError) -> Result {
        let walk = free.withLock { $0.popLast() } ?? GraphWalk(context)
        defer {
            free.withLock { walks in
                if walks.count < Limits.searchScratches { walks.append(walk) }
            }
        }
        return try body(walk)
    }
}
