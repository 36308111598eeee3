/// How many vectors may wait to be linked, where the collection leaves it at the default: as many as searches can afford.
///
/// A tail costs each search its scan. Past the point where searches spend more on it than they should, they take the processor time that linking needs to
/// shorten it, and the tail grows until they do little else. So writers are slowed before that.
package struct TailAllowance: Sendable {
    /// About what comparing with a byte of a tail takes, over codes.
    private static let secondsPerByte = 30e-6 / Double(1 << 20)
    /// Fewer would have linking wait for writers: these are a few slices of it.
    package static let fewest = 512

    private let share: Double

    /// - Parameter share: of one core, what all searches of a space together may spend on its tail.
    package init(share: Double) { self.share = share }

    /// - Parameter stride: bytes of a vector.
    package func vectors(stride: Int, searchesPerSecond: Double) -> Int {
        let cost = searchesPerSecond * TailAllowance.secondsPerByte * Double(stride)
        return cost * Double(Int32.max) > share ? max(Int(share / cost), TailAllowance.fewest) : Int(Int32.max)
    }
}
