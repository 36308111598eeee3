package import Foundation
import KithAPI
import KithCommands
package import KithCore
import KithTelemetry

/// Fetches events that were too large for Kafka from the server's change log, by the id in their claim check.
package struct ClaimedEvents {
    /// What became of a change.
    package enum Answer {
        /// It has its images. Bytes that were fetched for it; 0 where it came whole.
        case whole(ChangeRecord, fetchedBytes: Int)
        /// Why they are not to be had: to go on without them is what the settings say.
        case missing(String)
    }

    /// What a module that looks at payloads knows.
    static let settings = [
        ConsumerSetting("address", "HOST:PORT", "the Kith server, which has events whole that were too large for Kafka (none)"),
        ConsumerSetting("claims", "WORD", "stop or pass, where such an event cannot be fetched (stop)"),
    ]

    private static let log = Log("claims")
    private let fetch: ((_ event: String) throws(KithError) -> Data)?
    private let passes: Bool
    private let metrics: ConsumerMetrics
    private let retry: RetryDelay

    /// - Parameters:
    ///   - fetch: asks a server for the event of an id, and answers a `GetEventResponse` as JSON; nil where no server is known.
    ///   - passes: whether it goes on without an event that cannot be fetched.
    package init(
        passes: Bool = false, metrics: ConsumerMetrics, retry: RetryDelay = RetryDelay(first: .milliseconds(100)),
        fetch: ((_ event: String) throws(KithError) -> Data)? = nil
    ) {
        self.fetch = fetch
        self.passes = passes
        self.metrics = metrics
        self.retry = retry
    }

    init(_ settings: ConsumerSettings, metrics: ConsumerMetrics) throws(KithError) {
        let passes = try settings.choice("claims", [("stop", false), ("pass", true)]) ?? false
        guard let address = settings.text("address") else {
            self.init(passes: passes, metrics: metrics)
            return
        }
        let client = try KithClient(address: address, timeoutMilliseconds: Limits.claimMilliseconds)
        self.init(passes: passes, metrics: metrics) { (event) throws(KithError) in
            try client.callJSON("/kith.v1.ChangeService/GetEvent", try MessageJSON.request(["id": event]))
        }
    }

    /// The change with its images.
    ///
    /// - Throws: `INVALID_CONFIGURATION` where there is no server to ask; `POSITION_TRIMMED` where it no longer has the event; what the last of
    ///   a few attempts ended with.
    package func resolve(_ change: ChangeRecord) throws(KithError) -> Answer {
        // What a deletion does, its id says.
        guard let claim = change.claim, change.operation != .delete else { return .whole(change, fetchedBytes: 0) }
        do throws(KithError) {
            let whole = try whole(change, claim)
            metrics.fetched.add()
            return .whole(whole, fetchedBytes: claim.bytes)
        } catch {
            guard passes, error.reason == .invalidConfiguration || error.reason == .positionTrimmed else { throw error }
            return .missing(error.message)
        }
    }

    private func whole(_ change: ChangeRecord, _ claim: ChangeRecord.Claim) throws(KithError) -> ChangeRecord {
        let what =
            "\(change.source.place)@\(change.source.offset), \(claim.event), was too large for Kafka (\(claim.bytes) bytes)"
        guard let fetch else {
            throw .usage(
                "\(what): --address names the server that has it whole, --claims pass goes on without it", key: "address")
        }
        let answer = try ask(fetch, claim, what)
        let whole: ChangeRecord
        do throws(Poison) { whole = try ChangeRecord(answer: answer, for: change.source) } catch {
            throw ClaimedEvents.lost(what, error.reason)
        }
        guard whole.id == change.id, whole.claim == nil else { throw ClaimedEvents.lost(what, "the server has another event") }
        return whole
    }

    private func ask(
        _ fetch: (String) throws(KithError) -> Data, _ claim: ChangeRecord.Claim, _ what: String
    ) throws(KithError) -> Data {
        var (retry, attempts) = (retry, 0)
        while true {
            attempts += 1
            do throws(KithError) { return try fetch(claim.event) } catch {
                guard !error.isGone else { throw ClaimedEvents.lost(what, error.description) }
                guard attempts < Limits.claimAttempts else { throw error }
                let delay = retry.next()
                ClaimedEvents.log.warning(
                    "an event cannot be fetched, and is tried again",
                    ["event": claim.event, "error": error.description, "in": "\(delay)"])
                Thread.sleep(forTimeInterval: delay / .seconds(1))
            }
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
