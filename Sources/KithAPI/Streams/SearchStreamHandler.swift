import CGRPCShim
import KithCollections
import KithCore
import Synchronization

/// SearchStream: queries as they come, answers as they are ready. Past `Limits.streamQueries` unanswered, or whose answer the client has
/// not taken yet, no more is read.
final class SearchStreamHandler: CallHandler, DrainableStream {
    private struct State {
        /// Queries whose answer gRPC has not taken.
        var inFlight = 0
        /// Queries that still ask the call whether to go on: it must not end before they do.
        var searching = 0
        var cancelled = false
        /// A read is asked for.
        var reading = true
        /// No more queries come.
        var closed = false
        /// What the stream ends with, after the last answer.
        var ending: KithError?
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

    // MARK: Queries

    func received(_ ok: Bool) {
        guard ok else { return close(nil) }
        do throws(KithError) {
            try call.checkMessageSize()
            var view = KithSearchView()
            let message = try WireMessage(kith_decode_search_stream(call.message, &view))
            start(view, message)
        } catch { close(error) }
    }

    private func start(_ view: KithSearchView, _ message: WireMessage) {
        let tag = view.tag
        let isOpen = state.withLock { state in
            guard !state.closed else { return false }
            state.inFlight += 1
            state.searching += 1
            state.reading = false
            return true
        }
        // An ended call must not be touched any more.
        guard isOpen else { return }
        do throws(KithError) {
            call.audit?.concerns(view.collection.text)
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
                            try answer(SearchOutcome(result, definition, tag: tag))
                        } catch { fail(error, tag) }
                    }
                } catch { fail(error, tag) }
            }
        } catch { fail(error, tag) }
        readOn()
    }

    /// Asks for the next query where there is room for it. Under the lock, so that the call does not end at the same time.
    private func readOn() {
        state.withLock { state in
            guard !state.reading, !state.closed, state.inFlight < Limits.streamQueries else { return }
            state.reading = true
            call.read()
        }
    }

    // MARK: Answers

    private func answer(_ outcome: SearchOutcome) throws(KithError) {
        sender.send(try outcome.encode(kith_encode_search_stream_response).checkedAnswer(askFewer: "results"))
        stopSearching()
    }

    /// A query failed; the stream goes on, unless there is not even memory to say so.
    private func fail(_ error: KithError, _ tag: UInt64) {
        engine.countSearchError()
        do throws(KithError) { try answer(SearchOutcome(error, tag: tag)) } catch {
            state.withLock { $0.inFlight -= 1 }
            close(error)
            stopSearching()
        }
    }

    private func stopSearching() {
        let isGivenUp = state.withLock { state in
            state.searching -= 1
            return state.cancelled && state.searching == 0
        }
        if isGivenUp { sender.abandon() }
    }

    func written(_ ok: Bool) {
        sender.written(ok)
        let isLast = state.withLock { state in
            state.inFlight -= 1
            return state.closed && state.inFlight == 0
        }
        if isLast { finish() } else { readOn() }
    }

    // MARK: The end

    /// No more queries; the stream ends when the last is answered.
    private func close(_ error: KithError?) {
        let isIdle = state.withLock { state in
            state.closed = true
            state.ending = state.ending ?? error
            return state.inFlight == 0
        }
        if isIdle { finish() }
    }

    private func finish() {
        engine.streams.remove(self)
        sender.end(state.withLock(\.ending))
    }

    func cancelled() {
        engine.streams.remove(self)
        let isIdle = state.withLock { state in
            state.closed = true
            state.cancelled = true
            return state.searching == 0
        }
        if isIdle { sender.abandon() }
    }

    func drain() { close(KithError(.unavailable, .shuttingDown, "the server is shutting down")) }
}
