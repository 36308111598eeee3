internal import Foundation
public import KithCore
internal import Synchronization

/// Measures the recall of an index while it serves: keeps some of the queries it is asked with their answers, and compares those with exact
/// answers when there is time.
///
/// Searches note queries from any thread, without a lock; one thread at a time measures.
public final class RecallMeter: Sendable {
    /// One search in so many is kept.
    static let period = 8

    private let deaths: SlotDeaths
    private let places: [AnsweredQuery]
    private let noted = Atomic(0)
    private let next = Atomic(0)
    private let recent = Mutex(Recent())

    /// What the newest queries found, as a ring.
    private struct Recent {
        var shares: [Double] = []
        /// What each found less than it asked for; nil for those that asked for nothing.
        var missing: [Double?] = []
        var next = 0
        var at = Date.distantPast
    }

    public init(_ space: VectorSpace, _ deaths: SlotDeaths) {
        self.deaths = deaths
        places = (0..<Limits.keptQueries).map { _ in AnsweredQuery(vectorBytes: space.vectorBytes) }
    }

    /// Keeps one query in `period`, of those that may miss something. O(bytes of a vector) for those, else O(1); allocates nothing.
    ///
    /// - Parameter index: what answered.
    public func note(_ query: IndexQuery, in snapshot: Snapshot, _ answer: [Neighbour], by index: any VectorIndexReader) {
        guard !query.exact, query.recallTarget != 1, !query.indexedOnly, query.filter == nil,
            (1...Limits.measuredTopK).contains(query.topK)
        else { return }
        let (number, _) = noted.wrappingAdd(1, ordering: .relaxed)
        // What links nothing misses nothing.
        guard number % Self.period == 0, index.linkableSlots > 0 else { return }
        places[number / Self.period % places.count].fill(query, slotCount: snapshot.slotCount, answer)
    }

    /// The latest figure; nil until something was measured.
    public var measured: MeasuredRecall? {
        recent.withLock { recent in
            let count = Double(recent.shares.count)
            if count == 0 { return nil }
            let mean = recent.shares.reduce(0, +) / count
            let variance = recent.shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
            return MeasuredRecall(
                value: mean, standardError: (variance / count).squareRoot(), queries: recent.shares.count, at: recent.at)
        }
    }

    /// By how much searches that name a recall fall short of it, leaving out what may be chance; nil until enough of them were measured. Below zero where
    /// they find more.
    public var missingRecall: Float? {
        let missing = recent.withLock { $0.missing.compactMap { $0 } }
        guard missing.count >= Limits.measuredQueries / 4 else { return nil }
        let count = Double(missing.count)
        let mean = missing.reduce(0, +) / count
        let variance = missing.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        return Float(mean - 2 * (variance / count).squareRoot())
    }

    /// Forgets everything, of an index that another has taken the place of.
    public func reset() {
        for place in places { place.clear() }
        recent.withLock { $0 = Recent() }
    }

    /// Compares one of the queries kept with its exact answer; false where there is none. O(vectors).
    ///
    /// - Parameters:
    ///   - index: what was searched.
    ///   - position: what lives there is what should have been found.
    /// - Throws: `CANCELLED` when `shouldStop` said so.
    public func measureNext(
        _ index: any VectorIndexReader, at position: LogPosition, shouldStop: @escaping () -> Bool
    ) throws(KithError) -> Bool {
        for _ in places.indices {
            let (number, _) = next.wrappingAdd(1, ordering: .relaxed)
            let place = places[number % places.count]
            let compared = try place.take { () throws(KithError) in
                let share = try recall(of: place, index, at: position, shouldStop: shouldStop)
                return (share: share, wanted: place.wantedRecall.map(Double.init))
            }
            guard let compared else { continue }
            if let share = compared.share { add(share, missing: compared.wanted.map { $0 - share }) }
            return true
        }
        return false
    }

    /// The share of the true nearest that was answered; nil where there are none.
    private func recall(
        of place: AnsweredQuery, _ index: any VectorIndexReader, at position: LogPosition, shouldStop: @escaping () -> Bool
    ) throws(KithError) -> Double? {
        let query = IndexQuery(vector: place.vector, topK: place.topK, exact: true, shouldStop: shouldStop)
        // What was written since was not there to be found.
        let truth = try index.search(query, in: Snapshot(slotCount: place.slotCount, position: position))
        let living = place.neighbours.filter { deaths.isVisible($0.slot, at: position) }
        // What died since is neither wanted nor found.
        let wanted = truth.prefix(place.topK - (place.neighbours.count - living.count))
        // Equals of the farthest are as good as it.
        guard let radius = wanted.last?.distance else { return nil }
        return min(Double(living.count { $0.distance <= radius }) / Double(wanted.count), 1)
    }

    private func add(_ share: Double, missing: Double?) {
        recent.withLock { recent in
            if recent.shares.count < Limits.measuredQueries {
                recent.shares.append(share)
                recent.missing.append(missing)
            } else {
                recent.shares[recent.next] = share
                recent.missing[recent.next] = missing
            }
            recent.next = (recent.next + 1) % Limits.measuredQueries
            recent.at = Date()
        }
    }
}
