/// What calibrations measure: answers of these sizes, with these efforts.
enum EffortLadder {
    /// Between and beyond these sizes, efforts are taken to follow powers of the size.
    static let sizes = [1, 10, 100]
    static let largestSize = 100
    /// A step is an index into these; steps fit the bits of a `Steps`.
    static let efforts = [
        1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 57, 80, 100, 140, 200, 280, 400, 570, 800, 1_130, 1_600, 2_260, 3_200, 4_500, 6_400,
        9_000,
    ]
    /// A set of steps, a bit each.
    typealias Steps = UInt32

    /// Whether the sample of a slot is one in so many; depends on nothing but the slot.
    static func isOne(of count: UInt64, _ slot: UInt32) -> Bool { mixBits(UInt64(slot)) % count == 0 }

    /// The steps from `least` up to `most`.
    static func steps(from least: Int, through most: Int) -> Range<Int> {
        let first = efforts.firstIndex { $0 >= least } ?? efforts.count
        return first..<max(efforts.firstIndex { $0 > most } ?? efforts.count, first)
    }
}
