import KithCore
import KithTelemetry
import Synchronization

/// One webhook at work: a thread of its own, so that a slow endpoint slows only itself.
final class WebhookWorker: Sendable {
    private let state: Mutex<WebhookTurn>
    private let tools: WebhookTools
    private let signal = WakeSignal()
    private let observations = Mutex<[ShardID: (feed: any ChangeFeed, token: UInt64)]>([:])
    private let thread = Mutex<WorkerThread?>(nil)

    /// Knows its shards before it starts.
    init(_ webhook: Webhook, _ tools: WebhookTools) throws(KithError) {
        self.tools = tools
        state = Mutex(try WebhookTurn(webhook, tools))
    }

    var status: WebhookStatus { state.withLock { $0.status } }
    var webhook: Webhook { state.withLock { $0.webhook } }

    /// Changes where the webhook is, between two requests or beside one.
    func change<Answer: Sendable>(_ body: (inout WebhookTurn) throws(KithError) -> Answer) throws(KithError) -> Answer {
        defer { signal.raise() }
        return try state.withLock { (turn) throws(KithError) in try body(&turn) }
    }

    func add(_ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        try change { (turn) throws(KithError) in try turn.add(feed, definition) }
        let token = feed.observeCommits { [signal] in signal.raise() }
        observations.withLock { $0[feed.shard] = (feed, token) }
    }

    /// When it returns the shard's log is not read any more.
    func remove(_ shard: ShardID) {
        if let observation = observations.withLock({ $0.removeValue(forKey: shard) }) {
            observation.feed.stopObserving(observation.token)
        }
        state.withLock { $0.remove(shard) }
        signal.raise()
    }

    func start() throws(KithError) {
        let name = "kith-hook-\(webhook.id)"
        thread.withLock { thread in
            thread = WorkerThread(name: name) { [self] stopping in run(stopping) }
        }
    }

    /// Ends the request under way, saves the cursors and waits for the thread. Again is harmless.
    func requestStop() {
        thread.withLock { $0 }?.requestStop()
        signal.raise()
    }

    func join() {
        thread.withLock { $0 }?.join()
        for (_, observation) in observations.withLock({ $0 }) { observation.feed.stopObserving(observation.token) }
    }

    private func run(_ stopping: @escaping @Sendable () -> Bool) {
        defer { state.withLock { $0.finish() } }
        let client: HTTPClient
        do throws(KithError) { client = try WebhookWorker.client(tools.options, stopping) } catch {
            webhookLog.error("a webhook cannot start", ["webhook": webhook.name, "error": "\(error)"])
            return
        }
        let encoder = ChangeEventEncoder(cluster: tools.cluster)
        let clock = ContinuousClock()
        while !stopping() {
            switch state.withLock({ $0.next(encoder) }) {
            case .wait(let until): signal.wait(until: until)
            case .send(let parcel):
                let began = clock.now
                let verdict = Verdict(client.post(parcel.request))
                let duration = clock.now - began
                state.withLock { $0.settle(parcel, verdict, duration: duration) }
            }
        }
    }

    static func client(
        _ options: WebhookOptions, _ isStopping: @escaping @Sendable () -> Bool
    ) throws(KithError) -> HTTPClient {
        try HTTPClient(
            policy: options.policy, certificates: options.certificates, proxy: options.proxy, isStopping: isStopping)
    }
}
