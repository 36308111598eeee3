import KithCore

/// What the demo prints: steps, facts and checks. Any failed check fails the demo.
struct DemoReport {
    private static let width = 22
    private(set) var failures = 0
    private var step = 0

    mutating func begin(_ title: String) {
        step += 1
        Console.print("\n\(step). \(title)")
    }

    func fact(_ name: String, _ text: String) {
        Console.print("   \(pad(name, DemoReport.width))\(text)")
    }

    mutating func check(_ holds: Bool, _ text: String) {
        if !holds { failures += 1 }
        Console.print("   \(holds ? "ok  " : "FAIL")  \(text)")
    }
}
