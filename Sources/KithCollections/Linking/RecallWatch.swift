@preconcurrency import Dispatch
import KithCore
import KithIndex
import KithTelemetry
import Synchronization

/// Measures the recall of all indexes now and then, on a thread of the lowest priority, with a small share of one processor.
final class RecallWatch: Sendable {
    private static let interval = 1.0

    private let timer: any DispatchSourceTimer
    private let queue: DispatchQueue
    private let catalogue: Catalogue
    private let metrics: Metrics
    private let isStopped = Atomic(false)
    /// Seconds of measuring that later rounds have to make up for, and the space whose turn is next. Of the queue.
    private let turn = Mutex((debt: 0.0, next: 0))

    init(catalogue: Catalogue, metrics: Metrics) {
        self.catalogue = catalogue
        self.metrics = metrics
        queue = DispatchQueue(label: "kith.recall", qos: .background)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + RecallWatch.interval, repeating: RecallWatch.interval)
        timer.setEventHandler { [weak self] in self?.visitAll() }
        timer.activate()
    }

    /// Returns when nothing is under way any more.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        timer.cancel()
        queue.sync {}
    }

    private func visitAll() {
        var (debt, next) = turn.withLock { $0 }
        debt -= RecallWatch.interval * Limits.measuringShare
        let collections = catalogue.all
        let spaces = collections.flatMap { collection in
            collection.shards.flatMap { shard in shard.spaces.indices.map { (shard: shard, space: $0) } }
        }
        // Spaces without a query to compare cost nothing.
        var idle = 0
        while debt <= 0, idle < spaces.count, !isStopped.load(ordering: .relaxed) {
            let (shard, space) = spaces[next % spaces.count]
            next = (next + 1) % spaces.count
            let start = DispatchTime.now().uptimeNanoseconds
            idle = measure(shard, space) ? 0 : idle + 1
            debt += Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        }
        turn.withLock { [debt, next] in $0 = (max(debt, 0), next) }
        publish(collections)
    }

    /// One query; answers whether there was one.
    private func measure(_ shard: Shard, _ space: Int) -> Bool {
        let store = shard.spaces[space]
        do throws(KithError) {
            return try store.recallMeter.measureNext(store.index, at: shard.current().position) { [self] in
                isStopped.load(ordering: .relaxed)
            }
        } catch {
            if error.reason != .cancelled {
                shardLog.error("recall could not be measured", ["shard": "\(shard.id)", "error": "\(error)"])
            }
            return false
        }
    }

    private func publish(_ collections: [Collection]) {
        metrics.measuredRecall.set(
            collections.flatMap { collection in
                collection.definition.spaces.enumerated().compactMap { number, space in
                    collection.measuredRecall(space: number).map { measured in
                        LabelledGauge.Sample(
                            [("collection", collection.definition.name), ("space", space.name)], measured.value)
                    }
                }
            })
    }
}
