import KithCommands
import KithCore
import Synchronization
import Testing

@Suite struct ImportLedgerTests {
    private final class Reports: Sendable {
        let rows = Mutex<[Int]>([])
    }

    @Test func countsAndPlaces() {
        let reports = Reports()
        let ledger = ImportLedger(startingAfter: 10) { row, _ in reports.rows.withLock { $0.append(row) } }
        #expect(ledger.counts.row == 10)
        for row in [11, 12, 14, 15] { ledger.willSend(row: row) }
        ledger.refuse(row: 13, "bad")
        ledger.failed(2, KithError(.invalidArgument, .zeroVector, "zero"))
        ledger.acknowledged(3)
        #expect(ledger.counts.acknowledged == 2)
        #expect(ledger.counts.bad == 2)
        #expect(ledger.counts.row == 14)
        #expect(reports.rows.withLock { $0 } == [13, 12])
        ledger.acknowledged(3)
        #expect(ledger.counts.acknowledged == 2)
        ledger.acknowledged(4)
        #expect(ledger.counts.row == 15)
    }

    @Test func longImportsStayInStep() {
        let ledger = ImportLedger(startingAfter: 0) { _, _ in }
        var sequence: UInt64 = 0
        for round in 0..<50 {
            for item in 0..<100 {
                sequence += 1
                ledger.willSend(row: Int(sequence) * 2)
                if item == 7 { ledger.failed(sequence, KithError(.invalidArgument, .zeroVector, "zero")) }
            }
            ledger.acknowledged(sequence)
            #expect(ledger.counts.row == Int(sequence) * 2)
            #expect(ledger.counts.acknowledged == (round + 1) * 99)
        }
    }
}
