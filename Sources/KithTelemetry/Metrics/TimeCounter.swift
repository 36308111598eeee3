import Synchronization

/// Time that adds up, told in seconds. Any thread may add to it.
public final class TimeCounter: Instrument {
    private let name: String
    private let help: String
    private let nanoseconds = Atomic<UInt64>(0)

    /// - Parameter name: as Prometheus has it, ending in `_seconds_total`.
    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    public func add(nanoseconds amount: UInt64) { nanoseconds.wrappingAdd(amount, ordering: .relaxed) }

    /// The sum of what was added.
    public var currentNanoseconds: UInt64 { nanoseconds.load(ordering: .relaxed) }

    public func render() -> String {
        renderHead(name, help: help, type: "counter") + "\(name) \(Double(currentNanoseconds) / 1e9)\n"
    }
}
