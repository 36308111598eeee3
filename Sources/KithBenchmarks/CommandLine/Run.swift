import KithCore

/// One run of one benchmark: what was asked, how big, and where results go.
struct Run: Sendable {
    enum Size: Sendable {
        /// Just to see that it works.
        case tiny
        /// All benchmarks in a few minutes.
        case moderate
        /// The benchmark alone, at the size its figures are quoted for.
        case full
    }

    let options: Options
    let size: Size
    let report: Report

    /// The option of that name, else what suits the size.
    func number(_ name: String, tiny: Int, moderate: Int, full: Int) throws(KithError) -> Int {
        try options.number(name) ?? pick(tiny: tiny, moderate: moderate, full: full)
    }

    func pick<Value>(tiny: Value, moderate: Value, full: Value) -> Value {
        switch size {
        case .tiny: tiny
        case .moderate: moderate
        case .full: full
        }
    }

    /// Seconds that one measured load lasts.
    func seconds() throws(KithError) -> Double {
        try options.decimal("seconds") ?? pick(tiny: 0.2, moderate: 3, full: 6)
    }

    static let secondsOption = (name: "seconds N", help: "how long each load lasts")
}
