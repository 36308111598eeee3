import Foundation

/// Threads of their own for a test's clients, which block.
public final class Threads: Sendable {
    private let group = DispatchGroup()

    public init() {}

    /// Starts a thread.
    public func start(_ body: @escaping @Sendable () -> Void) {
        group.enter()
        Thread.detachNewThread { [group] in
            body()
            group.leave()
        }
    }

    /// Waits for all of them.
    public func join() { group.wait() }

    /// Runs `body` on so many threads, and waits for all.
    public static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let threads = Threads()
        for number in 0..<count { threads.start { body(number) } }
        threads.join()
    }
}
