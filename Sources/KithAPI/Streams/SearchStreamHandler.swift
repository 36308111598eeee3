import CGRPCShim
import KithCollections
import KithCore
import Synchronization

/// SearchStream: queries as they come, answers as they are ready. Past `Limits.streamQueries` in flight no more is read.
final class SearchStreamHandler: CallHandler, DrainableStream {
    private struct State {
        var inFlight = 0
        /// A read is asked for.
        var reading = true
        var closed = false
    }

    private let call: Call
    private let engine: Engine
    private let sender: StreamSender
    private let state = Mutex(State())

    init(_ call: Call, _ engine: Engine) throws(KithError) {
        self.call = call
        self.engine = engine
        sender = StreamSender(call)
        try engine.streams.add(self)
        call.read()
    }

    func received(_ ok: Bool) {
        guard ok else { return close(nil) }
        do throws(KithError) {
            var view = KithSearchView()
            let message = try WireMessage(kith_decode_search_stream(call.message, &view))
            start(view, message)
        } catch { close(error) }
    }

    private func start(_ view: KithSearchView, _ message: WireMessage) {
        let tag = view.tag
        let readsOn = state.withLock { state in
            state.inFlight += 1
            state.reading = state.inFlight < Limits.streamQueries && !state.closed
            return state.reading
        }
        do throws(KithError) {
            let collection = try engine.catalogue.collection(view.collection.text, field: "search.collection")
            let definition = collection.definition
            let search = try WireSearches.search(view, definition, message)
            let positions = try WireValues.positions(view.min_positions, view.min_position_count, field: "min_positions")
            try Deadline.whenApplied(positions, in: collection, of: call) { [self] late in
                do throws(KithError) {
                    if let late { throw late }
                    try engine.searchPool.submit { [self] in
                        do throws(KithError) {
                            let result = try SearchHandler.run(search, in: collection, of: call, message)
                            answer(SearchOutcome(result, definition, tag: tag))
                        } catch { answer(SearchOutcome(error, tag: tag)) }
                    }
                } catch { answer(SearchOutcome(error, tag: tag)) }
            }
        } catch { answer(SearchOutcome(error, tag: tag)) }
        if readsOn { call.read() }
    }

    private func answer(_ outcome: SearchOutcome) {
        if outcome.view.code != 0 { engine.countSearchError() }
        do throws(KithError) { sender.send(try outcome.encode(kith_encode_search_stream_response)) } catch { close(error) }
        let (readsOn, isLast) = state.withLock { state in
            state.inFlight -= 1
            let readsOn = !state.reading && !state.closed
            if readsOn { state.reading = true }
            return (readsOn, state.closed && state.inFlight == 0)
        }
        if readsOn { call.read() }
        if isLast { finish(nil) }
    }

    /// No more queries; the stream ends when the last is answered.
    private func close(_ error: KithError?) {
        let isIdle = state.withLock { state in
            state.closed = true
            return state.inFlight == 0
        }
        if isIdle || error != nil { finish(error) }
    }

    private func finish(_ error: KithError?) {
        engine.streams.remove(self)
        sender.end(error)
    }

    func written(_ ok: Bool) { sender.written(ok) }

    func cancelled() {
        state.withLock { $0.closed = true }
        engine.streams.remove(self)
        sender.abandon()
    }

    func drain() { close(KithError(.unavailable, .shuttingDown, "the server is shutting down")) }
}
