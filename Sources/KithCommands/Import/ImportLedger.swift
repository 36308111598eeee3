package import KithCore
import Synchronization

/// Which rows are on their way, acknowledged, or refused. Shared with the stream's thread.
package final class ImportLedger: Sendable {
    package struct Counts: Sendable {
        package var acknowledged = 0
        package var bad = 0
        /// The last row before which everything is acknowledged.
        package var row = 0
    }

    private struct State {
        /// Rows sent and not acknowledged, in order.
        var rows: [Int] = []
        /// Those of `rows` that are acknowledged and not yet removed.
        var done = 0
        /// The sequence number of the first of `rows`.
        var firstSequence: UInt64 = 1
        var refused: UInt64 = 0
        var counts = Counts()
    }

    private let state: Mutex<State>
    private let report: @Sendable (_ row: Int, _ reason: String) -> Void

    package init(startingAfter row: Int, report: @escaping @Sendable (Int, String) -> Void) {
        state = Mutex(State(counts: Counts(row: row)))
        self.report = report
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// To be called before the row is sent: its acknowledgement may come at once.
    package func willSend(row: Int) { state.withLock { $0.rows.append(row) } }

    /// A row that cannot be sent.
    package func refuse(row: Int, _ reason: String) {
        state.withLock { $0.counts.bad += 1 }
        report(row, reason)
    }

    package func failed(_ sequence: UInt64, _ error: KithError) {
        let row = state.withLock { state in
            state.counts.bad += 1
            state.refused += 1
            return state.rows[Int(sequence - state.firstSequence)]
        }
        report(row, error.message)
    }

    package func acknowledged(_ sequence: UInt64) {
        state.withLock { state in
            let done = Int(sequence - state.firstSequence) + 1
            guard done > state.done else { return }
            state.counts.acknowledged += done - state.done - Int(state.refused)
            state.refused = 0
            state.counts.row = state.rows[done - 1]
            state.done = done
            // Now and then, so that removing costs little.
            if done >= Limits.streamCredit {
                state.rows.removeFirst(done)
                state.firstSequence += UInt64(done)
                state.done = 0
            }
        }
    }
}
