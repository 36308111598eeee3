internal import CMemory
internal import Foundation
internal import KithCore
internal import Synchronization

/// Work of the background, on several threads that yield to searches.
enum GentleThreads {
    private static let niceness: Int32 = 19

    /// Calls `body` with parts of `0..<count`, each once, on `threads` threads of which the caller's is one. Returns when all are done.
    static func run(_ count: Int, threads: Int, _ body: @escaping @Sendable (Range<Int>) -> Void) {
        let parts = max(min(threads, count), 1)
        @Sendable func part(_ number: Int) -> Range<Int> { count * number / parts..<count * (number + 1) / parts }
        let done = DispatchGroup()
        let helpersTime = Atomic<UInt64>(0)
        for number in 1..<max(parts, 1) {
            done.enter()
            let thread = Thread {
                kith_set_thread_niceness(niceness)
                body(part(number))
                helpersTime.wrappingAdd(kith_thread_time(), ordering: .relaxed)
                done.leave()
            }
            thread.start()
        }
        body(part(0))
        done.wait()
        kith_add_thread_time(helpersTime.load(ordering: .relaxed))
    }

    /// Threads worth having: one a core.
    static let standardCount = ProcessInfo.processInfo.activeProcessorCount
}

/// Numbers that several threads read, or write in parts of their own.
struct SharedFloats: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
}

/// Whole numbers, likewise.
struct SharedIndices: @unchecked Sendable {
    let base: UnsafeMutablePointer<UInt32>
}
