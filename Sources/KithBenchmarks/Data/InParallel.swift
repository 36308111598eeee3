import Foundation
import KithCore
import Synchronization

/// Work on several threads, whose errors come out.
enum InParallel {
    /// Runs `body` on that many threads at once and waits for all.
    static func run(_ threads: Int, _ body: @escaping @Sendable (Int) throws(KithError) -> Void) throws(KithError) {
        let failure = Mutex<KithError?>(nil)
        let done = DispatchGroup()
        for number in 0..<threads {
            done.enter()
            let thread = Thread {
                do throws(KithError) { try body(number) } catch { failure.withLock { $0 = $0 ?? error } }
                done.leave()
            }
            thread.start()
        }
        done.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// The results of `body` for 0 ..< count, in order, on all cores.
    static func map<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws(KithError) -> Result
    ) throws(KithError) -> [Result] {
        let threads = max(1, min(ProcessInfo.processInfo.activeProcessorCount, count))
        let parts = PartialResults<Result>(threads)
        try run(threads) { (thread) throws(KithError) in
            var part: [Result] = []
            for index in count * thread / threads..<count * (thread + 1) / threads { part.append(try body(index)) }
            parts.set(thread, part)
        }
        return parts.joined
    }

    private final class PartialResults<Result: Sendable>: Sendable {
        private let parts: Mutex<[[Result]]>

        init(_ count: Int) { parts = Mutex(Array(repeating: [], count: count)) }

        func set(_ index: Int, _ part: [Result]) { parts.withLock { $0[index] = part } }
        var joined: [Result] { parts.withLock { Array($0.joined()) } }
    }
}
