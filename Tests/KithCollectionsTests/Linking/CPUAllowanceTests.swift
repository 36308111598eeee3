import Foundation
import KithCollections
import KithCore
import KithTelemetry
import TestSupport
import Testing

/// Work in the background takes the share of the cores that it may take, and all of that.
@Suite struct CPUAllowanceTests {
    @Test(arguments: [(0.05, 1), (0.05, 2), (0.3, 2), (0.5, 8), (0.95, 4)])
    func isKeptAndUsed(_ share: Double, _ cores: Int) {
        var random = SeededGenerator(seed: UInt64(share * 100) + UInt64(cores))
        var allowance = CPUAllowance(share: share, cores: cores)
        let rate = share * Double(cores)
        let start: UInt64 = 5_000_000_000
        var now = start
        var spent = 0.0
        _ = allowance.wait(at: now)
        for _ in 0..<10_000 {
            now += allowance.wait(at: now)
            #expect(allowance.wait(at: now) <= 1)
            let slice = UInt64.random(in: 1_000...80_000_000, using: &random)
            // On one core or on all of them at once.
            now += slice / UInt64(Int.random(in: 1...cores, using: &random))
            allowance.spend(slice)
            spent += Double(slice)
        }
        let allowed = Double(now - start) * rate
        #expect(spent <= allowed + 80e6 + Double(Limits.maintenanceSavingMilliseconds) * 1e6 * rate)
        // A rate above one core is never reached by slices that come one after another.
        if rate < 1 { #expect(spent >= 0.9 * allowed) }
    }

    @Test func whatIsSavedIsLittle() {
        var allowance = CPUAllowance(share: 0.5, cores: 2)
        #expect(allowance.wait(at: 0) == 0)
        #expect(allowance.wait(at: 3_600_000_000_000) == 0)
        allowance.spend(1_100_000_000)
        #expect(allowance.wait(at: 3_600_000_000_000) == 1_000_000_000)
    }

    @Test func allOfTheCoresIsNoLimit() {
        var allowance = CPUAllowance(share: 1, cores: 1)
        allowance.spend(.max)
        #expect(allowance.wait(at: 1) == 0)
    }

    @Test func linkingKeepsToItsShare() async throws {
        let folder = TemporaryFolder()
        let share = Limits.maintenanceCPUShare.lowerBound
        let clock = ContinuousClock()
        let start = clock.now
        let node = folder.hold(try Node.open(folder("n")) { $0.maintenanceCPUShare = share })
        let collection = try node.make("c", kind: "graph", dimension: 8)
        var random = SeededGenerator(seed: 3)
        let request = WriteRequest()
        for id in UInt64(0)..<4_900 { request.upsert(id, random.vector(8)) }
        try await collection.commit(request, durability: .indexed)
        let used = Double(node.metrics.maintenanceTime.currentNanoseconds) / 1e9
        let passed = (clock.now - start) / .seconds(1)
        #expect(used > 0)
        // The last slices, a part of the whole, are paid for later.
        let allowed = share * Double(ProcessInfo.processInfo.activeProcessorCount) * (passed + 0.1)
        #expect(0.6 * used <= allowed, "\(used) s of processor time in \(passed) s")
    }
}
