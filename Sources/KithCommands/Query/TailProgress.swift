package import Foundation
import KithAPI
package import KithCore

/// How far a subscription has got, so that another goes on there: no event twice, none left out.
package struct TailProgress {
    /// The last event of a commit that was cut off by a break.
    private struct Partial {
        var position: LogPosition
        var index: UInt32
    }

    private var complete: [UInt16: LogPosition] = [:]
    private var partial: [UInt16: Partial] = [:]
    /// Whether anything has come: a server that was there once will be back.
    package private(set) var hasBegun = false

    /// Commits that have been printed whole. A snapshot is whole at its first heartbeat.
    package var positions: [ShardPosition] {
        complete.map { ShardPosition(shard: $0.key, position: $0.value) }.sorted { $0.shard < $1.shard }
    }

    package init() {}

    /// The events of a `SubscribeResponse` that have not come before, each as it was written.
    package mutating func newLines(_ json: Data) throws(KithError) -> [String] {
        hasBegun = true
        let message: ChangeMessage = try MessageJSON.value(json)
        var lines: [String] = []
        do throws(RowProblem) {
            let members = try JSONText.members([UInt8](json)[...])
            if let events = members.first(where: { $0.key == "events" })?.value {
                for (event, text) in zip(message.events ?? [], try JSONText.elements(events)) where take(event) {
                    lines.append(String(decoding: text, as: UTF8.self))
                }
            }
        } catch { throw KithError(.internal, .malformedMessage, "an unexpected answer: \(error.reason)") }
        for position in message.heartbeat?.shardPositions ?? [] { complete[position.shard] = position.position }
        return lines
    }

    /// Whether an event is new.
    private mutating func take(_ event: ChangeEventMessage) -> Bool {
        guard event.operation != "READ" else { return true }
        let shard = event.source.shard ?? 0
        let position = event.source.logPosition
        let index = event.source.index ?? 0
        if let cut = partial[shard], cut.position == position, index <= cut.index { return false }
        partial[shard] = event.source.isLast ? nil : Partial(position: position, index: index)
        if event.source.isLast { complete[shard] = position }
        return true
    }
}
