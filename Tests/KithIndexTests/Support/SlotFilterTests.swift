import KithIndex
import Testing

/// A filter against a plain set.
@Suite struct SlotFilterTests {
    /// Sets of every shape that a bitmap stores in its own way: lists, bits, runs; empty, and beyond one container.
    private static func sets() -> [Set<UInt32>] {
        var random = SeededRandom(7)
        var sets: [Set<UInt32>] = [[], [0], [65_535, 65_536, 131_071], Set(0..<70_000), Set(100..<65_636), Set(3..<64)]
        let shapes = [(50, 300), (3_000, 200_000), (4_096, 65_536), (4_097, 65_536), (60_000, 65_536), (90_000, 400_000)]
        for (count, bound) in shapes {
            sets.append(Set((0..<count).map { _ in UInt32.random(in: 0..<UInt32(bound), using: &random) }))
        }
        // Runs among scattered slots, in five containers.
        var mixed = Set((0..<500).map { _ in UInt32.random(in: 0..<330_000, using: &random) })
        for start: UInt32 in [10, 65_500, 131_000, 262_140] { mixed.formUnion(start..<start + 3_000) }
        return sets + [mixed]
    }

    @Test func agreesWithASet() {
        for set in SlotFilterTests.sets() {
            check(SlotFilter(set.sorted()), set)
            check(SlotFilter(set.shuffled() + set.prefix(10)), set)
        }
    }

    @Test func rangesAndSetAlgebra() {
        let sets = SlotFilterTests.sets()
        for range: Range<UInt32> in [0..<0, 0..<1, 63..<65, 60_000..<140_000, 0..<65_536, 65_536..<65_600] {
            let filter = SlotFilter(range)
            check(filter, Set(range))
            for set in sets {
                let other = SlotFilter(set)
                check(other.intersection(filter), set.intersection(range))
                check(other.union(filter), set.union(range))
                check(other.subtracting(filter), set.subtracting(range))
                #expect(other.count(in: range) == set.filter(range.contains).count)
            }
        }
    }

    private func check(_ filter: SlotFilter, _ set: Set<UInt32>) {
        #expect(filter.cardinality == set.count)
        let bits = filter.bits
        let end = (set.max() ?? 0) + 70_000
        let wrong = (0..<end).first { slot in
            let expected = set.contains(slot)
            return filter.contains(slot) != expected || bits.contains(slot) != expected
        }
        #expect(wrong == nil)
    }
}
