import Foundation
import Glibc
import Synchronization

/// A process that this one started: its output is kept, and it is gone, at the latest, when this one ends.
public final class ChildProcess: @unchecked Sendable {
    /// Something about a process that is not as a test needs it; the text has the process's output.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(description: String) { self.description = description }
    }

    private static let starting = Mutex(())
    private static let living = Mutex<[pid_t: ChildProcess]>([:])
    private static let killAllAtExit: Void = {
        atexit { for pid in ChildProcess.living.withLock({ Array($0.keys) }) { Glibc.kill(pid, SIGKILL) } }
    }()

    public let name: String
    private let pid: pid_t
    /// Guards what follows, and tells of its changes.
    private let condition = NSCondition()
    private var text = ""
    private var outputHasEnded = false
    private var status: Int32?

    /// - Parameter environment: added to this process's own.
    public init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        name = URL(filePath: path).lastPathComponent
        let output: Int32
        (pid, output) = try ChildProcess.starting.withLock { _ in try ChildProcess.start(path, arguments, environment) }
        _ = ChildProcess.killAllAtExit
        ChildProcess.living.withLock { $0[pid] = self }
        let reader = Thread { [self] in read(output) }
        reader.name = "output of \(name)"
        reader.start()
    }

    /// Starts a process and answers where its output is read. Under the lock, so that no other child inherits the pipe's writing end.
    private static func start(
        _ path: String, _ arguments: [String], _ added: [String: String]
    ) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        do { return (try spawn(path, arguments, added, output: ends[1]), ends[0]) } catch {
            close(ends[0])
            throw error
        }
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ added: [String: String], output: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(added) { $1 }.map { "\($0)=\($1)" }
        var pid: pid_t = 0
        let code = withCStrings([path] + arguments) { arguments in
            withCStrings(variables) { variables in posix_spawn(&pid, path, &actions, &attributes, arguments, variables) }
        }
        guard code == 0 else { throw Failure(description: "\(path) cannot be started: \(String(cString: strerror(code)))") }
        return pid
    }

    // MARK: Output

    private func read(_ output: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Glibc.read(output, &buffer, buffer.count), count > 0 {
            let part = String(decoding: buffer[..<count], as: UTF8.self)
            condition.withLock {
                text += part
                condition.broadcast()
            }
        }
        close(output)
        condition.withLock {
            outputHasEnded = true
            condition.broadcast()
        }
    }

    /// Everything that was printed so far.
    public var output: String { condition.withLock { text } }

    /// Waits until `part` was printed so many times.
    ///
    /// - Throws: when the process ends first.
    public func waitForOutput(_ part: String, times: Int = 1) throws {
        let found = condition.withLock {
            while text.ranges(of: part).count < times, !outputHasEnded { condition.wait() }
            return text.ranges(of: part).count >= times
        }
        if !found { throw Failure(description: "\(name) ended with \(wait()) before it printed '\(part)':\n\(output)") }
    }

    /// The last lines of every process that is still there: what a failing test shows.
    public static var outputsOfLiving: String {
        living.withLock { Array($0.values) }.map { child in
            "--- \(child.name) \(child.pid) printed:\n" + child.output.split(separator: "\n").suffix(30).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    // MARK: The end

    /// Sends a signal; nothing where the process has ended.
    public func signal(_ number: Int32) {
        condition.withLock { if status == nil { _ = Glibc.kill(pid, number) } }
    }

    /// Waits for the end, and for the last of the output. Answers the exit status; minus the signal where one ended it.
    @discardableResult
    public func wait() -> Int32 {
        var information = siginfo_t()
        // Told of the end before the process is reaped, so that no signal can reach another one of its number.
        while condition.withLock({ status == nil }), waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0,
            errno == EINTR
        {}
        return condition.withLock {
            if let status { return status }
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            let result = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -(raw & 0x7F)
            status = result
            ChildProcess.living.withLock { $0[pid] = nil }
            while !outputHasEnded { condition.wait() }
            return result
        }
    }

    /// SIGKILL, and waits.
    public func kill() {
        signal(SIGKILL)
        wait()
    }
}

private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(&pointers)
}
