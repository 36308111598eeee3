import Foundation
import Glibc
import Synchronization

/// What a run must not leave behind: servers it started, and folders it made.
///
/// SIGTERM and SIGINT end the process in an orderly way; after SIGKILL the kernel ends the servers (see `ServerProcess`) and the
/// folders stay.
enum Leftovers {
    private struct Content {
        var servers: Set<Int32> = []
        var folders: Set<String> = []
    }
    private static let content = Mutex(Content())

    static func add(server: Int32) { content.withLock { _ = $0.servers.insert(server) } }
    static func forget(server: Int32) { content.withLock { _ = $0.servers.remove(server) } }
    static func add(folder: String) { content.withLock { _ = $0.folders.insert(folder) } }
    static func forget(folder: String) { content.withLock { _ = $0.folders.remove(folder) } }

    /// From now on a signal removes them before it ends the process. Call it before any other thread starts: threads inherit
    /// that the signals are held back.
    static func removeWhenStopped() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let held = signals
        Thread {
            var signals = held
            var signal: Int32 = 0
            while sigwait(&signals, &signal) != 0 {}
            remove()
            _exit(128 + signal)
        }.start()
    }

    /// Keeps the lock: nothing new may come up in between.
    private static func remove() {
        content.withLock { content in
            for server in content.servers {
                kill(server, SIGKILL)
                // It must not write into folders that are being removed. Whoever reaps it, it is gone afterwards.
                while kill(server, 0) == 0, waitpid(server, nil, 0) < 0, errno == EINTR {}
            }
            for folder in content.folders {
                do { try FileManager.default.removeItem(atPath: folder) } catch {
                    Console.note("cannot remove \(folder): \(error.localizedDescription)")
                }
            }
        }
    }
}
