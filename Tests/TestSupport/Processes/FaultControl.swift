import Foundation

/// The file by which the preloaded library (Tests/CFaults) is told what is to go wrong: a `KithFaultControl`.
public struct FaultControl {
    /// What a server can be ended at.
    public enum Step: Int, CaseIterable, Sendable {
        /// A change of its data folder, or a sync.
        case disk
        /// A message to a broker.
        case broker
    }

    public let path: String

    public init(_ path: String) throws {
        self.path = path
        try Data().write(to: URL(filePath: path))
        try clear()
    }

    /// What a server is to be started with, to obey.
    ///
    /// - Parameter data: its data folder.
    public func environment(data: String) -> [String: String] {
        ["LD_PRELOAD": TestEnvironment.faults, "KITH_FAULT_ROOT": data, "KITH_FAULT_CONTROL": path]
    }

    /// Nothing goes wrong.
    public func clear() throws { try write() }

    public func fillDisk() throws { try write(isFull: true) }

    /// Ends the server at its so-manieth step from now on, before or after it is taken.
    public func kill(at step: Step, number: Int, isTaken: Bool) throws {
        var steps = Step.allCases.map { _ in 0 }
        steps[step.rawValue] = number
        try write(diesAfter: isTaken, steps: steps)
    }

    private func write(isFull: Bool = false, diesAfter: Bool = false, steps: [Int] = Step.allCases.map { _ in 0 }) throws {
        let words = [isFull ? 1 : 0, diesAfter ? 1 : 0] + steps
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: words.withUnsafeBytes { Data($0) })
        try file.close()
    }
}
