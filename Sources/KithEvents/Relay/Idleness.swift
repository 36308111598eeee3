import Foundation

/// How much of the machine's processors nobody uses, as Linux counts it, from one look to the next.
package struct Idleness: Sendable {
    package typealias Ticks = (idle: UInt64, all: UInt64)

    /// Time between two looks: Linux counts in steps of a hundredth of a second.
    private static let window = Duration.milliseconds(50)

    private let processors: Double
    private let ticks: @Sendable () -> Ticks?
    private var last: (ticks: Ticks, at: ContinuousClock.Instant)?
    /// Between the last two looks.
    private var seen: (since: ContinuousClock.Instant, spare: Double)?

    /// - Parameter ticks: so far, and how many of them idle; nil where the machine does not tell, and then everything is spare.
    package init(
        processors: Int = ProcessInfo.processInfo.activeProcessorCount,
        ticks: @escaping @Sendable () -> Ticks? = { Idleness.systemTicks() }
    ) {
        self.processors = Double(processors)
        self.ticks = ticks
    }

    /// Processors that nobody used in the last window, where that is one since `began`; nil until it is over.
    package mutating func spareProcessors(since began: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Double? {
        look(at: now)
        return seen.flatMap { $0.since >= began ? $0.spare : nil }
    }

    private mutating func look(at now: ContinuousClock.Instant) {
        if let last, now - last.at < Idleness.window { return }
        guard let ticks = ticks() else {
            seen = (now, .infinity)
            return
        }
        if let last, ticks.all > last.ticks.all {
            let idle = Double(ticks.idle - min(last.ticks.idle, ticks.idle))
            seen = (last.at, processors * idle / Double(ticks.all - last.ticks.all))
        }
        last = (ticks, now)
    }

    /// Since the machine started.
    package static func systemTicks() -> Ticks? {
        guard let file = fopen("/proc/stat", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        // cpu user nice system idle iowait irq softirq steal guest guest_nice: the last two are in the first two.
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard fields.count == 8 else { return nil }
        return (fields[3] + fields[4], fields.reduce(0, +))
    }
}
