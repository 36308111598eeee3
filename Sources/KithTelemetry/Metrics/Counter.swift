import Synchronization

/// A number that only grows. Any thread may add to it.
public final class Counter: Instrument {
    private let name: String
    private let help: String
    private let value = Atomic<UInt64>(0)

    /// - Parameter name: as Prometheus has it, ending in `_total`.
    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// Adds an amount that is not negative.
    public func add(_ amount: Int = 1) { value.wrappingAdd(UInt64(amount), ordering: .relaxed) }

    /// The sum of what was added.
    public var current: UInt64 { value.load(ordering: .relaxed) }

    public func render() -> String { renderHead(name, help: help, type: "counter") + "\(name) \(current)\n" }
}
