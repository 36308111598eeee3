import Synchronization

/// Counters of one name, told apart by one label of few values. Any thread may add to them.
public final class CounterFamily: Instrument {
    private let name: String
    private let help: String
    private let label: String
    private let counts = Mutex<[String: UInt64]>([:])

    /// - Parameter name: as Prometheus has it, ending in `_total`.
    public init(_ name: String, _ help: String, label: String) {
        self.name = name
        self.help = help
        self.label = label
    }

    /// Counts one of that kind.
    ///
    /// - Parameter value: a word of letters, digits and `_`.
    public func add(_ value: String) { counts.withLock { $0[value, default: 0] += 1 } }

    /// How often that kind was counted.
    public func current(_ value: String) -> UInt64 { counts.withLock { $0[value] ?? 0 } }

    public func render() -> String {
        renderHead(name, help: help, type: "counter")
            + counts.withLock { $0 }.sorted { $0.key < $1.key }
            .map { "\(name){\(label)=\"\($0.key)\"} \($0.value)\n" }.joined()
    }
}
