import Foundation
package import KithAPI
import KithCommands
package import KithCore
import KithTelemetry

/// Fetches events that were too large for Kafka from the server's change log, by the id in their claim check.
package struct ClaimedEvents: Sendable {
    private static let log = Log("etl")
    private let client: KithClient?
    private let retry: RetryDelay

    /// - Parameter client: of the server that published the events; nil where it is not known.
    package init(_ client: KithClient?, retry: RetryDelay = RetryDelay(first: .milliseconds(100))) {
        self.client = client
        self.retry = retry
    }

    /// The whole event.
    ///
    /// - Throws: `INVALID_CONFIGURATION` where there is no server to ask; `POSITION_TRIMMED` where it no longer has the event; what the last of
    ///   a few attempts ended with.
    package func whole(_ change: ChangeRecord, _ claim: ChangeRecord.Claim) throws(KithError) -> ChangeRecord {
        let what =
            "\(change.source.place)@\(change.source.offset), \(claim.event), was too large for Kafka (\(claim.bytes) bytes)"
        guard let client else {
            throw .usage(
                "\(what): --address names the server that has it whole, --claims pass goes on without it", key: "address")
        }
        let answer = try ask(client, claim, what)
        let whole: ChangeRecord
        do throws(Poison) { whole = try ChangeRecord(answer: answer, for: change.source) } catch {
            throw ClaimedEvents.lost(what, error.reason)
        }
        guard whole.id == change.id, whole.claim == nil else { throw ClaimedEvents.lost(what, "the server has another event") }
        return whole
    }

    private func ask(_ client: KithClient, _ claim: ChangeRecord.Claim, _ what: String) throws(KithError) -> Data {
        let request = try MessageJSON.request(["id": claim.event])
        var retry = retry
        for _ in 1..<Limits.claimAttempts {
            do throws(KithError) { return try client.callJSON("/kith.v1.ChangeService/GetEvent", request) } catch {
                guard !error.isGone else { throw ClaimedEvents.lost(what, error.description) }
                let delay = retry.next()
                ClaimedEvents.log.warning(
                    "an event cannot be fetched, and is tried again",
                    ["event": claim.event, "error": error.description, "in": "\(delay)"])
                Thread.sleep(forTimeInterval: delay / .seconds(1))
            }
        }
        do throws(KithError) { return try client.callJSON("/kith.v1.ChangeService/GetEvent", request) } catch {
            throw error.isGone ? ClaimedEvents.lost(what, error.description) : error
        }
    }

    private static func lost(_ what: String, _ why: String) -> KithError {
        KithError(
            .outOfRange, .positionTrimmed,
            "\(what), and the server does not have it: \(why). Fill the sink anew, or go on with --claims pass")
    }
}

extension KithError {
    /// Whether asking again cannot help: the change log no longer has the event, or never had, or it is too large for an answer.
    fileprivate var isGone: Bool {
        code == .notFound || code == .invalidArgument || reason == .positionTrimmed || reason == .messageTooLarge
    }
}
