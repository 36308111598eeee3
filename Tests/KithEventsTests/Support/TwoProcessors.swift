import KithEvents
import Synchronization

/// Two processors as Linux would count them, of which so many are idle from one look to the next; in the end as many as last.
final class TwoProcessors: Sendable {
    private struct State {
        var idle: [Double]
        var counted = (idle: UInt64(0), all: UInt64(0))
    }

    private let state: Mutex<State>

    init(idle: [Double]) { state = Mutex(State(idle: idle)) }

    var idleness: Idleness { Idleness(processors: 2) { self.look() } }

    private func look() -> Idleness.Ticks {
        state.withLock { state in
            let answer = state.counted
            state.counted.idle += UInt64(500 * (state.idle.first ?? 0))
            state.counted.all += 1_000
            if state.idle.count > 1 { state.idle.removeFirst() }
            return answer
        }
    }
}
