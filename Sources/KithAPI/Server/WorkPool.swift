import Foundation
import KithCore

/// Threads for work too long for the server's own, with a bounded queue.
final class WorkPool: @unchecked Sendable {
    private let condition = NSCondition()
    private var queue: [@Sendable () -> Void] = []
    private var head = 0
    private var stopping = false
    private let limit: Int

    init(name: String, threads: Int, limit: Int) {
        self.limit = limit
        for number in 0..<max(threads, 1) {
            Thread(named: "\(name).\(number)") { [self] in run() }.start()
        }
    }

    /// - Throws: `SEARCH_QUEUE_FULL`, to be retried.
    func submit(_ work: @escaping @Sendable () -> Void) throws(KithError) {
        let waiting = condition.withLock { () -> Int? in
            let waiting = queue.count - head
            guard waiting < limit else { return waiting }
            queue.append(work)
            condition.signal()
            return nil
        }
        guard let waiting else { return }
        throw KithError(
            .resourceExhausted, .searchQueueFull, "\(waiting) searches wait, the limit is \(limit)",
            metadata: ["waiting": "\(waiting)", "limit": "\(limit)"], retryAfterMilliseconds: 100)
    }

    /// Ends the threads once the queue is empty.
    func stop() {
        condition.withLock {
            stopping = true
            condition.broadcast()
        }
    }

    private func run() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        condition.withLock {
            while head == queue.count {
                if stopping { return nil }
                condition.wait()
            }
            defer {
                head += 1
                // Taken work is let go of in batches, so that taking stays O(1).
                if head == queue.count || head > 1_024 {
                    queue.removeFirst(head)
                    head = 0
                }
            }
            return queue[head]
        }
    }
}
