import KithCore
import KithTelemetry
import Synchronization

/// A stream that a stopping server must end.
protocol DrainableStream: AnyObject, Sendable {
    /// The server is about to stop: finish soon, telling the client.
    func drain()
}

/// The open streams: counted against the limit, and told when the server stops.
final class StreamRegistry: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any DrainableStream] = [:]
        var draining = false
    }

    private let state = Mutex(State())
    private let metrics: Metrics

    init(metrics: Metrics) { self.metrics = metrics }

    /// - Throws: `TOO_MANY_STREAMS`, `SHUTTING_DOWN`.
    func add(_ stream: any DrainableStream) throws(KithError) {
        let refusal = state.withLock { state -> KithError? in
            if state.draining { return KithError(.unavailable, .shuttingDown, "the server is shutting down") }
            guard state.open.count < Limits.streams else {
                return KithError(
                    .resourceExhausted, .tooManyStreams, "\(state.open.count) streams are open, the limit is \(Limits.streams)",
                    metadata: ["value": "\(state.open.count)", "limit": "\(Limits.streams)"], retryAfterMilliseconds: 1_000)
            }
            state.open[ObjectIdentifier(stream)] = stream
            metrics.openStreams.set(state.open.count)
            return nil
        }
        if let refusal { throw refusal }
    }

    func remove(_ stream: any DrainableStream) {
        state.withLock { state in
            state.open[ObjectIdentifier(stream)] = nil
            metrics.openStreams.set(state.open.count)
        }
    }

    func drain() {
        let open = state.withLock { state in
            state.draining = true
            return Array(state.open.values)
        }
        for stream in open { stream.drain() }
    }
}
