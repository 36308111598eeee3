import KithCore

/// Tells how an import goes: a bar at a terminal, a line every few seconds elsewhere.
struct ProgressMeter {
    private static let barWidth = 30
    private let isTerminal = Console.isTerminal(2)
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var next: ContinuousClock.Instant
    private var hasBar = false

    init() {
        start = clock.now
        next = start + .seconds(isTerminal ? 0 : 5)
    }

    /// Shows the state, unless it was shown a moment ago.
    mutating func show(_ counts: ImportLedger.Counts, bytes: Int, of total: Int?) {
        let now = clock.now
        guard now >= next else { return }
        next = now + (isTerminal ? .milliseconds(100) : .seconds(5))
        let share = total.map { $0 == 0 ? 1 : min(1, Double(bytes) / Double($0)) }
        var line = "\(grouped(counts.acknowledged)) points, \(rate(counts, now)) a second"
        if counts.bad > 0 { line += ", \(grouped(counts.bad)) bad" }
        if let share { line = "\(padLeft("\(Int(share * 100))", 3)) %  \(line)" }
        guard isTerminal else { return Console.note(line) }
        let filled = share.map { Int($0 * Double(ProgressMeter.barWidth)) } ?? 0
        let bar = share == nil ? "" : String(repeating: "#", count: filled) + pad("", ProgressMeter.barWidth - filled) + " "
        Console.noteText("\r\u{1B}[K\(bar)\(line)")
        hasBar = true
    }

    /// Takes the bar away, so that a line can be printed.
    mutating func clear() {
        if hasBar { Console.noteText("\r\u{1B}[K") }
        hasBar = false
    }

    /// The last line.
    func summary(_ counts: ImportLedger.Counts) -> String {
        let time = clock.now - start
        return "\(grouped(counts.acknowledged)) points in \(seconds(time)), \(rate(counts, clock.now)) a second"
            + (counts.bad > 0 ? "; \(grouped(counts.bad)) bad rows were left out" : "")
    }

    private func rate(_ counts: ImportLedger.Counts, _ now: ContinuousClock.Instant) -> String {
        let time = now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        return grouped(Int(Double(counts.acknowledged) / max(seconds, 0.001)))
    }
}
