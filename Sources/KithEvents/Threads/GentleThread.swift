internal import CMemory
import KithCore
import Synchronization

/// Threads that let others go first.
///
/// What publishes can wait, for the change log waits with it; who writes and searches cannot. A gentle thread gets what others leave, and a
/// tenth of a core where they leave nothing (the kernel's weight of this niceness).
enum GentleThread {
    private static let niceness: Int32 = 10

    /// Makes the calling thread gentle, and all threads that it starts from now on.
    static func become() { kith_set_thread_niceness(niceness) }

    /// Runs `body` on a gentle thread and waits for it: the threads of a library that it starts are gentle, too.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws(KithError) -> Value) throws(KithError) -> Value {
        let answer = Answer<Value>()
        let thread = WorkerThread(name: "kith-start") { _ in
            become()
            do throws(KithError) { answer.set(.success(try body())) } catch { answer.set(.failure(error)) }
        }
        thread.join()
        return try answer.get()
    }
}

private final class Answer<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, KithError>?>(nil)

    func set(_ result: Result<Value, KithError>) { self.result.withLock { $0 = result } }

    func get() throws(KithError) -> Value {
        guard let result = result.withLock({ $0 }) else {
            throw KithError(.internal, .cancelled, "a thread ended without an answer")
        }
        return try result.get()
    }
}
