import Foundation
import KithCore
import Synchronization

/// A thread with a name that can be stopped and waited for: blocking C calls have no place on Swift's shared pool.
final class WorkerThread: Sendable {
    private let stopping: StopFlag
    private let finished = DispatchSemaphore(value: 0)

    /// Starts `body` at once. It returns soon after its argument answers true.
    init(name: String, _ body: @escaping @Sendable (_ stopping: @escaping @Sendable () -> Bool) -> Void) {
        let flag = StopFlag()
        stopping = flag
        let work = Work(body)
        Thread(named: name) { [finished] in
            // Who joins may end the process next: what the body held, a database perhaps, is let go of before.
            work.perform { flag.isRaised }
            finished.signal()
        }.start()
    }

    /// Asks the thread to end.
    func requestStop() { stopping.raise() }

    /// Waits until the thread has ended; again is harmless. Not to be called from the thread itself.
    func join() {
        finished.wait()
        finished.signal()
    }
}

/// What a thread does, once; gone when it is done, however long the thread's own block lives.
private final class Work: Sendable {
    typealias Body = @Sendable (_ stopping: @escaping @Sendable () -> Bool) -> Void
    private let body: Mutex<Body?>

    init(_ body: @escaping Body) { self.body = Mutex(body) }

    func perform(until stopping: @escaping @Sendable () -> Bool) {
        let body = body.withLock { body in
            defer { body = nil }
            return body
        }
        body?(stopping)
    }
}

/// A flag that, once raised, stays so.
private final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}
