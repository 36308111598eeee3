/// Something counted or measured, under a name of its own.
public protocol Instrument: Sendable {
    /// Help, type and values in Prometheus' text format 0.0.4.
    func render() -> String
}

/// The metrics of a process: every stored property that is an `Instrument`.
public protocol MetricSet: AnyObject, Sendable {}

extension MetricSet {
    /// All metrics in Prometheus' text format 0.0.4, in order of declaration. By reflection, so that none can be forgotten.
    public func render() -> String {
        Mirror(reflecting: self).children.compactMap { $0.value as? any Instrument }.map { $0.render() }.joined()
    }
}

/// The two lines above the values of a metric.
func renderHead(_ name: String, help: String, type: String) -> String { "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" }
