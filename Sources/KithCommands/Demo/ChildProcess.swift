import Glibc
import KithCore
import Synchronization

/// A program that we started, in a process group of its own, with its output in a file.
final class ChildProcess: Sendable {
    let pid: pid_t
    /// How it ended, once that is known; after that its id may be another's.
    private let status = Mutex<Int32?>(nil)

    /// - Parameter output: gets standard output; standard error too where `errors` is nil.
    init(
        _ executable: String, _ arguments: [String], environment: [String: String], output: String, errors: String? = nil
    ) throws(KithError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that we hold back or ignore must reach it.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, executable, &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            errno = failure
            throw Files.system("start", executable)
        }
        self.pid = pid
    }

    /// Whether it still runs.
    var isRunning: Bool {
        status.withLock { status in
            if status != nil { return false }
            var code: Int32 = 0
            guard waitpid(pid, &code, WNOHANG) == pid else { return true }
            status = code
            return false
        }
    }

    /// Sends a signal to it and to what it started.
    func signal(_ number: Int32) {
        status.withLock { if $0 == nil { kill(-pid, number) } }
    }

    /// Blocks until it has ended.
    func wait() {
        while isRunning { usleep(2_000) }
    }
}
