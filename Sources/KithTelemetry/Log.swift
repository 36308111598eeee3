#if canImport(Glibc)
    import Glibc
#endif
import Foundation
import Synchronization

/// How grave a log line is.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    /// By the word that settings use.
    public init?(name: String) {
        guard let level = LogLevel.allCases.first(where: { "\($0)" == name }) else { return nil }
        self = level
    }

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Structured logs: one JSON object a line on standard error, keys sorted.
public struct Log: Sendable {
    private static let threshold = Atomic<Int>(LogLevel.info.rawValue)

    /// Leaves out lines less grave than `level`, process-wide.
    public static func setThreshold(_ level: LogLevel) { threshold.store(level.rawValue, ordering: .relaxed) }

    private let component: String

    /// - Parameter component: the part of Kith that speaks, such as `relay`.
    public init(_ component: String) { self.component = component }

    /// What only helps to find a fault.
    public func debug(_ message: String, _ fields: [String: String] = [:]) { write(.debug, message, fields) }
    /// What an operator may want to know.
    public func info(_ message: String, _ fields: [String: String] = [:]) { write(.info, message, fields) }
    /// What mends itself, or costs something that can be spared.
    public func warning(_ message: String, _ fields: [String: String] = [:]) { write(.warning, message, fields) }
    /// What somebody should look at.
    public func error(_ message: String, _ fields: [String: String] = [:]) { write(.error, message, fields) }

    private func write(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        guard level.rawValue >= Log.threshold.load(ordering: .relaxed) else { return }
        var line = fields
        line["time"] = Date().ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        line["level"] = "\(level)"
        line["component"] = component
        line["message"] = message
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A dictionary of strings always encodes; without bytes there is nothing to write.
        guard var bytes = try? encoder.encode(line) else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.withUnsafeBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
