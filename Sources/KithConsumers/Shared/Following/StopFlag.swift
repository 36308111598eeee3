import Foundation
import Glibc
import KithCommands
import KithCore
package import KithTelemetry
import Synchronization

/// Asks a consumer to finish what it has and end.
package final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}

    package func raise() { raised.store(true, ordering: .releasing) }
    package var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// A flag that SIGTERM or SIGINT raises; a second signal ends the process at once. Before any other thread starts.
    package static func onSignals(_ log: Log) -> StopFlag {
        let flag = StopFlag()
        let signals = StopSignals()
        Thread(named: "kith-signals") {
            let signal = signals.wait()
            log.info("stopping", ["signal": signal == SIGTERM ? "SIGTERM" : "SIGINT"])
            flag.raise()
            signals.exitAtNext()
        }.start()
        return flag
    }
}
