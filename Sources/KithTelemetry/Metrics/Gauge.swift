import Synchronization

/// A number that goes up and down. Any thread may change it.
public final class Gauge: Instrument {
    private let name: String
    private let help: String
    private let value = Atomic<Int>(0)

    /// - Parameter name: as Prometheus has it, ending in the unit.
    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// Replaces the value.
    public func set(_ new: Int) { value.store(new, ordering: .relaxed) }

    /// Adds an amount, or takes it away where it is negative.
    public func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }

    /// The value now.
    public var current: Int { value.load(ordering: .relaxed) }

    public func render() -> String { renderHead(name, help: help, type: "gauge") + "\(name) \(current)\n" }
}
