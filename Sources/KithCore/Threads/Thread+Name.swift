internal import CMemory
public import Foundation

extension Thread {
    /// A thread that calls `body` and that the system knows by the first 15 bytes of `name`.
    public convenience init(named name: String, _ body: @escaping @Sendable () -> Void) {
        self.init {
            // Foundation's own `name` does nothing before a thread runs, and was seen to do nothing just after it began.
            kith_set_thread_name(name)
            body()
        }
    }
}
