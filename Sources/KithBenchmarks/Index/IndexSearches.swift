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

    let data: Dataset
    let index: any VectorIndex

    private func answer(_ query: Int, effort: Int) throws(KithError) -> [Neighbour] {
        let query = IndexQuery(vector: data.queries.row(query), topK: Dataset.topK, effort: effort == 0 ? nil : effort)
        return try index.search(query, in: data.base.snapshot)
    }

    /// - Parameter effort: 0 is the index's default.
    func recall(effort: Int) throws(KithError) -> Double {
        let answers = try InParallel.map(data.queries.count) { (query) throws(KithError) in
            try answer(query, effort: effort).map { Int($0.slot) }
        }
        return data.recall(answers)
    }

    /// Closed loop: every thread asks one query after another.
    func load(effort: Int, threads: Int, seconds: Double) throws(KithError) -> Load {
        let all = Mutex<[Double]>([])
        let began = ContinuousClock.now
        try InParallel.run(threads) { (thread) throws(KithError) in
            let clock = ContinuousClock()
            var latencies: [Double] = []
            var query = data.queries.count * thread / threads
            var last = clock.now
            while (last - began).seconds < seconds || latencies.isEmpty {
                _ = try answer(query % data.queries.count, effort: effort)
                let now = clock.now
                latencies.append((now - last).seconds * 1e6)
                last = now
                query += 1
            }
            all.withLock { $0 += latencies }
        }
        let took = (ContinuousClock.now - began).seconds
        let sorted = all.withLock { $0.sorted() }
        func percentile(_ share: Double) -> Double { sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)] }
        return Load(queriesPerSecond: Double(sorted.count) / took, p50: percentile(0.5), p99: percentile(0.99))
    }
}
