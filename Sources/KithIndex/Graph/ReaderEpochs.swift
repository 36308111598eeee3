internal import Synchronization

/// Tells when every search that began before a moment has ended, without ever making one wait: two counts of searches under way, of
/// which new ones join one while the other drains (as in sleepable read-copy-update).
final class ReaderEpochs: Sendable {
    private let epoch = Atomic<UInt64>(0)
    private let even = Atomic<Int>(0)
    private let odd = Atomic<Int>(0)

    /// Runs a search.
    func read<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let joined = epoch.load(ordering: .sequentiallyConsistent)
        add(1, to: joined)
        defer { add(-1, to: joined) }
        return try body()
    }

    /// Has new searches join the other count, if that one has drained. Everything that searches could see before the first of two
    /// advances, and not after it, is out of sight of all searches after the second.
    func advance() -> Bool {
        let now = epoch.load(ordering: .sequentiallyConsistent)
        let other = now % 2 == 0 ? odd.load(ordering: .sequentiallyConsistent) : even.load(ordering: .sequentiallyConsistent)
        guard other == 0 else { return false }
        epoch.store(now + 1, ordering: .sequentiallyConsistent)
        return true
    }

    private func add(_ change: Int, to epoch: UInt64) {
        if epoch % 2 == 0 {
            even.add(change, ordering: .sequentiallyConsistent)
        } else {
            odd.add(change, ordering: .sequentiallyConsistent)
        }
    }
}
