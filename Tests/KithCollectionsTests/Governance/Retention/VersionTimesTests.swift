import KithCollections
import TestSupport
import Testing

@Suite struct VersionTimesTests {
    /// Against the whole history: never a version that is too new, late by no more than is promised, and few marks.
    @Test(arguments: [UInt64(1), 2, 3]) func answersAreNeverTooNewAndHardlyLate(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var times = VersionTimes()
        var history: [(time: Int64, version: UInt64)] = []
        var now: Int64 = 1_700_000_000_000_000
        var version: UInt64 = 0
        for _ in 0..<20_000 {
            now += Int64.random(in: 1_000_000...Int64.random(in: 2_000_000...600_000_000, using: &random), using: &random)
            version += UInt64.random(in: 1...50, using: &random)
            times.note(version, at: now)
            history.append((now, version))
        }
        func known(by time: Int64) -> UInt64 { history.last { $0.time <= time }?.version ?? 0 }
        for _ in 0..<500 {
            let age = Int64.random(in: 0...(now - history[0].time), using: &random)
            let found = times.version(by: now - age)
            #expect(found <= known(by: now - age))
            #expect(found >= known(by: now - age - age / 64))
        }
        #expect(times.marks.count < 1_500, "\(times.marks.count)")
        #expect(times.version(by: now) == version)
    }

    @Test func aClockThatGoesBackNotesNothing() {
        var times = VersionTimes()
        times.note(5, at: 100)
        times.note(9, at: 99)
        times.note(9, at: 100)
        #expect(times.marks == [VersionTimes.Mark(time: 100, version: 5)])
        #expect(times.version(by: 99) == 0)
    }
}
