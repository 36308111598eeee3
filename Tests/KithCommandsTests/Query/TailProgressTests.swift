import Foundation
import KithCommands
import KithCore
import Testing

@Suite struct TailProgressTests {
    private func event(_ position: Int, _ index: Int, of count: Int, op: String = "CREATE", shard: Int = 0) -> String {
        #"{"id":"k/1.\#(shard)/\#(position)/\#(index)","op":"CHANGE_OPERATION_\#(op)","#
            + #""source":{"shard":\#(shard),"position":"\#(position)","index":\#(index),"count":\#(count)}}"#
    }

    private func message(_ events: String...) -> Data { Data("{\"events\":[\(events.joined(separator: ","))]}".utf8) }

    @Test func linesComeAsWritten() throws {
        var progress = TailProgress()
        let first = event(1, 0, of: 1)
        #expect(try progress.newLines(message(first)) == [first])
        #expect(progress.positions == [ShardPosition(shard: 0, position: 1)])
        #expect(
            try progress.newLines(Data(#"{"heartbeat":{"positions":[{"position":"9"},{"shard":1,"position":"4"}]}}"#.utf8))
                .isEmpty)
        #expect(progress.positions == [ShardPosition(shard: 0, position: 9), ShardPosition(shard: 1, position: 4)])
    }

    @Test func aCommitThatWasCutOffComesOnce() throws {
        var progress = TailProgress()
        _ = try progress.newLines(message(event(1, 0, of: 1), event(2, 0, of: 3), event(2, 1, of: 3)))
        #expect(progress.positions == [ShardPosition(shard: 0, position: 1)])
        // The next subscription begins after commit 1.
        let lines = try progress.newLines(message(event(2, 0, of: 3), event(2, 1, of: 3), event(2, 2, of: 3), event(3, 0, of: 1)))
        #expect(lines == [event(2, 2, of: 3), event(3, 0, of: 1)])
        #expect(progress.positions == [ShardPosition(shard: 0, position: 3)])
    }

    @Test func aSnapshotCountsAtItsHeartbeat() throws {
        var progress = TailProgress()
        #expect(try progress.newLines(message(event(0, 0, of: 1, op: "READ"))).count == 1)
        #expect(progress.positions.isEmpty)
    }
}
