import Glibc
import Synchronization

/// What runs for the demo and must not outlive it.
final class DemoStage: Sendable {
    private struct Running {
        var server: DemoServer?
        var broker: DemoBroker?
    }

    private let running = Mutex(Running())

    func set(server: DemoServer) { running.withLock { $0.server = server } }
    func set(broker: DemoBroker) { running.withLock { $0.broker = broker } }

    /// Ends everything that still runs.
    func clear() {
        let all = running.withLock { running in
            defer { running = Running() }
            return running
        }
        all.server?.process.signal(SIGKILL)
        all.server?.process.wait()
        all.broker?.stop()
    }
}
