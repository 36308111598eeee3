import Synchronization

/// A number for each set of labels, such as one for each collection. Any thread may replace them.
public final class LabelledGauge: Instrument {
    /// A value and its labels, as name and text.
    public struct Sample: Sendable {
        public var labels: [(name: String, value: String)]
        public var value: Double

        public init(_ labels: [(name: String, value: String)], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    private let name: String
    private let help: String
    private let samples = Mutex<[Sample]>([])

    /// - Parameter name: as Prometheus has it, ending in the unit.
    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// Replaces all values: what is not among them is gone.
    public func set(_ new: [Sample]) { samples.withLock { $0 = new } }

    public func render() -> String {
        let lines = samples.withLock { $0 }.map { sample in
            let labels = sample.labels.map { "\($0.name)=\"\(LabelledGauge.escaped($0.value))\"" }.joined(separator: ",")
            return "\(name){\(labels)} \(sample.value)\n"
        }
        return renderHead(name, help: help, type: "gauge") + lines.joined()
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
