/// What writers may add to a tail that searches cannot afford: half of what is linked, so that it becomes shorter and nobody stands still.
package struct WriterCredit: Sendable {
    private var vectors = 0

    package init() {}

    package var isUsedUp: Bool { vectors <= 0 }

    /// So many were linked. What was not used is not saved up.
    package mutating func linked(_ count: Int) { vectors = min(vectors + count / 2, count / 2) }

    package mutating func write(_ count: Int) { vectors -= count }

    /// Searches can afford the tail again.
    package mutating func reset() { vectors = 0 }
}
