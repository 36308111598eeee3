internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Lends walks to searches; keeps at most `Limits.searchScratches`.
final class WalkPool: Sendable {
    private let dimension: Int
    private let free = Mutex<[GraphWalk]>([])

    init(dimension: Int) { self.dimension = dimension }

    func withWalk<Result>(_ body: (GraphWalk) throws(KithError) -> Result) throws(KithError) -> Result {
        let walk = free.withLock { $0.popLast() } ?? GraphWalk(dimension: dimension)
        defer {
            free.withLock { walks in
                if walks.count < Limits.searchScratches { walks.append(walk) }
            }
        }
        return try body(walk)
    }
}
