import KithEvents
import TestSupport

/// What goes wrong, in which order; the same seed gives the same.
enum Fault: CaseIterable {
    /// Nothing: so many more acknowledged writes.
    case work
    case killServer
    /// And again while it recovers, at some change of its files or sync, or when it has.
    case killServerTwice
    /// At some change of its files or sync, right before or right after it.
    case killServerAtDiskStep
    /// At some message to a broker, right before or right after it.
    case killServerAtBrokerStep
    case cutNetwork
    case silenceNetwork
    /// What brokers answer is lost: who asked does not know what was done.
    case loseAnswers
    case mendNetwork
    case killBroker
    case fillDisk
    case cutEndpoint
    case silenceEndpoint
    case refuseAtEndpoint
    case mendEndpoint
    case killConsumer
    case killDatabase
}

/// One run of a server: what it promises, who listens, and what is done to them.
struct Schedule: CustomStringConvertible {
    struct Step {
        var fault: Fault
        /// Acknowledged writes before it.
        var writes: Int
        /// Of steps, where a fault counts some.
        var number: Int
        /// Where a fault can be on either side of something.
        var isAfter: Bool
    }

    let seed: UInt64
    let delivery: DeliveryGuarantee
    let sink: SinkKind
    /// Events of a request to the endpoint, at most; one each where nil.
    let batch: Int?
    let steps: [Step]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        self.seed = seed
        // The test broker shows events of transactions that were never committed.
        delivery = Bool.random(using: &random) && TestEnvironment.kafka != nil ? .exactlyOnce : .atLeastOnce
        sink = Bool.random(using: &random) && PostgresServer.binaries != nil ? .table : .files
        batch = Bool.random(using: &random) ? Int.random(in: 2...100, using: &random) : nil
        steps = (0..<Int.random(in: 3...7, using: &random)).map { _ in
            var fault = Fault.allCases.randomElement(using: &random) ?? .work
            // A broker takes seconds to come back.
            if fault == .killBroker, Int.random(in: 0..<4, using: &random) > 0 { fault = .cutNetwork }
            return Step(
                fault: fault, writes: Int.random(in: 0...40, using: &random),
                number: Int.random(in: 1...100, using: &random), isAfter: Bool.random(using: &random))
        }
    }

    var description: String {
        let requests = batch.map { "requests of \($0)" } ?? "single requests"
        return "seed \(seed): \(delivery.rawValue), \(sink), \(requests): "
            + steps.map { "\($0.fault)" }.joined(separator: ", ")
    }
}
