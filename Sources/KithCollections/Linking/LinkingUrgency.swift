/// How much linking matters to others, and so how it is scheduled, and with how much care it is done.
package enum LinkingUrgency: CaseIterable {
    /// Nobody waits for it: it takes what others leave.
    case gentle
    /// Searches scan a long tail, which costs them more than linking does: left to what they leave, it would grow, and they would leave less and less.
    case urgent

    /// Of the tail that a search scans in about a quarter of the time that a walk takes.
    package static let gentleTailBytes = 1 << 18

    /// - Parameter isSearched: asked only where the tail is long enough to matter to searches.
    package init(tailBytes: Int, isSearched: @autoclosure () -> Bool) {
        self = tailBytes > LinkingUrgency.gentleTailBytes && isSearched() ? .urgent : .gentle
    }

    /// How much gentler than a search its threads are to be scheduled. A thread can become gentler but not less gentle, so each has its own.
    var niceness: Int32 {
        switch self {
        case .gentle: 19
        case .urgent: 10
        }
    }
}
