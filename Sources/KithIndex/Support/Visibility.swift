internal import KithCore

/// Which slots one search may answer with: its snapshot, over the deaths that go on while it runs, and its filter.
struct Visibility {
    let deaths: SlotDeaths
    let position: LogPosition
    /// Only slots below this are answered.
    let bound: UInt32
    /// Only these are answered; nil: all. Borrowed from the query's filter.
    var filter: SlotBits?

    // The bits first: they fit a cache where deaths do not.
    @inline(__always)
    func admits(_ slot: UInt32) -> Bool {
        slot < bound && filter?.contains(slot) ?? true && deaths.isVisible(slot, at: position)
    }
}
