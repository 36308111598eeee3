import Foundation
import KithCore
import KithIndex
import Synchronization

/// Searches of one index by threads of this process.
struct IndexSearches: Sendable {
    struct Load {
        var queriesPerSecond: Double
        /// Microseconds.
        var p50: Double
        var p99: Double
    }

    /// Passes of one load; the best counts, for other work on the machine only ever slows one down.
    static let passes = 3

    let index: any VectorIndex
    let base: VectorSet
    let queries: VectorSet
    let truth: Truth
    let snapshot: Snapshot
    let filter: SlotFilter?

    init(
        _ index: any VectorIndex, _ base: VectorSet, _ queries: VectorSet, _ truth: Truth, in snapshot: Snapshot? = nil,
        filter: SlotFilter? = nil
    ) {
        self.index = index
        self.base = base
        self.queries = queries
        self.truth = truth
        self.snapshot = snapshot ?? base.snapshot
        self.filter = filter
    }

    private func query(_ number: Int, effort: Int) -> IndexQuery {
        IndexQuery(
            vector: queries.row(number), topK: Dataset.topK, effort: effort == 0 ? nil : effort, filter: filter)
    }

    /// Rows that a search is expected to compare.
    func expectedComparisons(effort: Int) -> Int { index.expectedComparisons(query(0, effort: effort), in: snapshot) }

    /// - Parameter effort: 0 is the index's default.
    func recall(effort: Int) throws(KithError) -> Double {
        let answers = try InParallel.map(queries.count) { (number) throws(KithError) in
            try index.search(query(number, effort: effort), in: snapshot).map { Int($0.slot) }
        }
        return truth.recall(answers, base, queries)
    }

    /// Closed loop: every thread asks one query after another.
    ///
    /// - Parameters:
    ///   - seconds: of all passes together.
    ///   - batch: queries of one call.
    func load(effort: Int, threads: Int, seconds: Double, batch: Int = 1) throws(KithError) -> Load {
        var best = Load(queriesPerSecond: 0, p50: 0, p99: 0)
        for _ in 0..<IndexSearches.passes {
            let load = try pass(effort: effort, threads: threads, seconds: seconds / Double(IndexSearches.passes), batch: batch)
            if load.queriesPerSecond > best.queriesPerSecond { best = load }
        }
        return best
    }

    private func pass(effort: Int, threads: Int, seconds: Double, batch: Int) throws(KithError) -> Load {
        let all = Mutex<[Double]>([])
        let began = ContinuousClock.now
        try InParallel.run(threads) { (thread) throws(KithError) in
            let clock = ContinuousClock()
            var latencies: [Double] = []
            var number = queries.count * thread / threads
            var last = clock.now
            while (last - began).seconds < seconds || latencies.isEmpty {
                if batch == 1 {
                    _ = try index.search(query(number, effort: effort), in: snapshot)
                } else {
                    let some = (number..<number + batch).map { query($0 % queries.count, effort: effort) }
                    _ = try index.search(some, in: snapshot)
                }
                let now = clock.now
                latencies.append((now - last).seconds * 1e6)
                last = now
                number = (number + batch) % queries.count
            }
            all.withLock { $0 += latencies }
        }
        let took = (ContinuousClock.now - began).seconds
        let sorted = all.withLock { $0.sorted() }
        func percentile(_ share: Double) -> Double { sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)] }
        return Load(queriesPerSecond: Double(sorted.count * batch) / took, p50: percentile(0.5), p99: percentile(0.99))
    }
}
