import Foundation
import KithCore
import Synchronization

/// Returns once `condition` holds, looking again and again; false after two minutes.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: 120)
    let pause = NSCondition()
    while try !condition() {
        guard deadline > Date() else { return false }
        pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.002)) }
    }
    return true
}

/// Answers as they come in, to be looked at and waited for.
final class Answers<Value: Sendable>: Sendable {
    private struct State {
        var answers: [Result<Value, KithError>] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var all: [Result<Value, KithError>] { state.withLock { $0.answers } }
    var successes: Int { all.count { if case .success = $0 { true } else { false } } }

    var reasons: Set<ErrorReason> {
        Set(all.compactMap { if case .failure(let error) = $0 { error.reason } else { nil } })
    }

    func add(_ answer: Result<Value, KithError>) {
        let due = state.withLock { state in
            state.answers.append(answer)
            let due = state.waiting.filter { $0.count <= state.answers.count }
            state.waiting.removeAll { $0.count <= state.answers.count }
            return due
        }
        for (_, continuation) in due { continuation.resume() }
    }

    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.answers.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
