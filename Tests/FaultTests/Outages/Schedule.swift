import TestSupport

/// What goes wrong, in which order; the same seed gives the same.
enum Fault: CaseIterable {
    /// Nothing: so many more acknowledged writes.
    case work
    case killServer
    /// And again while it recovers.
    case killServerTwice
    case cutNetwork
    case silenceNetwork
    case mendNetwork
    case killBroker
    case fillDisk
}

struct Schedule {
    struct Step {
        var fault: Fault
        /// Acknowledged writes before it.
        var writes: Int
        /// Microseconds, where a fault has a delay.
        var delay: Int
    }

    let steps: [Step]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        steps = (0..<Int.random(in: 3...7, using: &random)).map { _ in
            var fault = Fault.allCases.randomElement(using: &random) ?? .work
            // A broker takes seconds to come back.
            if fault == .killBroker, Int.random(in: 0..<4, using: &random) > 0 { fault = .cutNetwork }
            return Step(
                fault: fault, writes: Int.random(in: 0...40, using: &random),
                delay: Int.random(in: 1_000...150_000, using: &random))
        }
    }
}
