internal import KithCore

/// Takes vectors as sample queries just before they are linked: the index has not seen them, and they are what the data is like.
///
/// Stored vectors, left out one at a time, would not do for a graph: one that was built with a vector has lost the links that it stood for.
struct EffortSampler {
    /// Samples kept are of the last slots of the index, this share of it at least.
    private static let share = 0.6
    /// One slot in `slot / density` is a sample: of the share above that are 2,048.
    private static let density: UInt32 = 4_009
    /// But no more than one in this many, that linking is not held up.
    private static let densest: UInt32 = 16
    /// Slots below which a scan answers anyway.
    private static let firstSlot: UInt32 = 2_000

    private(set) var samples: [EffortSample] = []

    /// Whether a slot is one to sample; depends on nothing but its number.
    static func wants(_ slot: UInt32) -> Bool {
        slot >= firstSlot && mixBits(UInt64(slot) << 32) % UInt64(max(slot / density, densest)) == 0
    }

    /// Takes a sample, and lets go of those that are too old.
    mutating func add(_ sample: EffortSample) {
        samples.append(sample)
        let oldest = UInt32(Double(sample.slot) * Self.share)
        samples.removeFirst(samples.firstIndex { $0.slot >= oldest } ?? 0)
    }
}
