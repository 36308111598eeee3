import KithCore
import Synchronization

/// Those who want to hear of commits.
final class CommitObservers: Sendable {
    private struct State {
        var next: UInt64 = 0
        var wakes: [UInt64: @Sendable () -> Void] = [:]
    }
    private let state = Mutex(State())

    func add(_ wake: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock {
            $0.next += 1
            $0.wakes[$0.next] = wake
            return $0.next
        }
    }

    func remove(_ token: UInt64) { _ = state.withLock { $0.wakes.removeValue(forKey: token) } }

    func notify() {
        let wakes = state.withLock { Array($0.wakes.values) }
        for wake in wakes { wake() }
    }
}

/// Reads that wait for a position.
final class PositionWaiters: Sendable {
    private struct State {
        var next: UInt64 = 0
        var waiting: [UInt64: (position: LogPosition, then: @Sendable () -> Void)] = [:]
    }
    private let state = Mutex(State())

    /// Answers a token for `remove`; nil when too many wait already.
    func add(_ position: LogPosition, _ then: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock {
            guard $0.waiting.count < Limits.positionWaiters else { return nil }
            $0.next += 1
            $0.waiting[$0.next] = (position, then)
            return $0.next
        }
    }

    func remove(_ token: UInt64) { _ = state.withLock { $0.waiting.removeValue(forKey: token) } }

    func fire(upTo position: LogPosition) {
        let due = state.withLock { state -> [@Sendable () -> Void] in
            guard !state.waiting.isEmpty else { return [] }
            let due = state.waiting.filter { $0.value.position <= position }
            for token in due.keys { state.waiting[token] = nil }
            return due.values.map(\.then)
        }
        for then in due { then() }
    }
}
