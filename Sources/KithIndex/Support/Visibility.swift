internal import KithCore

/// Which slots one search may answer with: its snapshot, over the deaths that go on while it runs.
struct Visibility {
    let deaths: SlotDeaths
    let position: LogPosition
    /// Only slots below this are answered.
    let bound: UInt32

    @inline(__always)
    func admits(_ slot: UInt32) -> Bool { slot < bound && deaths.isVisible(slot, at: position) }
}
