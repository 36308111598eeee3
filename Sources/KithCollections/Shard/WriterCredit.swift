/// What writers may add to a tail that searches cannot afford: half of what is linked, so that it becomes shorter and nobody stands still.
package struct WriterCredit: Sendable {
    package private(set) var vectors = 0

    package init() {}

    /// So many were linked. What was not used of earlier ones is lost.
    package mutating func linked(_ count: Int) { vectors = count / 2 }

    package mutating func write(_ count: Int) { vectors = max(vectors - count, 0) }
}
