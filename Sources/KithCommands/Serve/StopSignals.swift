import Foundation
import Glibc

/// SIGTERM and SIGINT, waited for rather than handled: nothing runs at a random place.
///
/// Make one before any other thread starts: threads inherit that the signals are held back.
package struct StopSignals {
    private let signals: sigset_t

    package init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // A client that goes away, or a pipe that closes, ends a call, not the process.
        signal(SIGPIPE, SIG_IGN)
        self.signals = signals
    }

    /// Blocks until a signal comes, and answers which.
    package func wait() -> Int32 {
        var signals = signals
        var signal: Int32 = 0
        while sigwait(&signals, &signal) != 0 {}
        return signal
    }

    /// From now on a signal ends the process at once: whoever sends a second one does not want to wait.
    package func exitAtNext() {
        Thread { _exit(128 + wait()) }.start()
    }
}
