import Foundation

/// How much of the machine's processors nobody uses, as Linux counts it.
struct Idleness {
    private static let window = Duration.milliseconds(100)
    /// Below it a thread more takes time from others.
    private static let saturated = 0.25

    private var ticks: (idle: UInt64, all: UInt64)?
    private var readAt = ContinuousClock.now
    private var share = 1.0

    var isSaturated: Bool {
        mutating get {
            if ContinuousClock.now - readAt >= Idleness.window { read() }
            return share < Idleness.saturated
        }
    }

    private mutating func read() {
        readAt = .now
        guard let now = Idleness.ticks() else { return }
        if let ticks, now.all > ticks.all { share = Double(now.idle - min(ticks.idle, now.idle)) / Double(now.all - ticks.all) }
        ticks = now
    }

    /// Nil where /proc/stat does not tell.
    private static func ticks() -> (idle: UInt64, all: UInt64)? {
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
