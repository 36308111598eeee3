#include "Session.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "Connection.hpp"
#include "Host.hpp"
#include "Methods.hpp"
#include "SessionCallbacks.hpp"

namespace kith {
namespace {

/// Bytes of one stream, and of all together, that a client may send before it hears that they were taken.
constexpr int32_t streamWindow = 1 << 20, connectionWindow = 16 << 20;
/// Bytes that wait for the socket: sent when they are so many, and no more are made while the socket takes none.
constexpr size_t outputBytes = 128 << 10;
constexpr size_t frameHeadBytes = 9;

}  // namespace

Session::Session(Connection& connection, Host& host) : connection(connection), host(host) {
    session = makeSession(*this);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, host.maximumStreams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, streamWindow},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, RequestHead::maximumBytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connectionWindow);
}

Session::~Session() {
    nghttp2_session_del(session);
}

// MARK: What the client sends

bool Session::receive(std::string_view bytes) {
    return nghttp2_session_mem_recv(session, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) >= 0;
}

void Session::begin(int32_t stream) {
    auto call = std::make_shared<KithCall>(host, connection.shared_from_this(), stream);
    call->wire.position = open.size();
    nghttp2_session_set_stream_user_data(session, stream, call.get());
    open.push_back(std::move(call));
}

void Session::headReceived(KithCall& call) {
    const RequestHead& head = call.wire.head;
    if (const int status = head.httpStatus(); status != 200) {
        return refuse(call, status);
    }
    if (const auto refusal = head.refusal()) {
        return fail(call, *refusal);
    }
    if (!host.find(head.path(), call)) {
        return fail(call, {StatusCode::unimplemented, "there is no method " + std::string(head.path()), {}});
    }
    call.wire.incoming.expect(head.encoding());
    if (const auto timeout = head.timeout()) {
        host.deadlines.add(call, *timeout);
    }
    if (call.isClientStreaming) {
        connection.outcome.push_back(call.start());
    }
}

void Session::dataReceived(KithCall& call, std::string_view bytes) {
    call.wire.unconsumed += bytes.size();
    nghttp2_session_consume_connection(session, bytes.size());
    if (!call.wire.isFailed) {
        if (const auto failure = call.wire.incoming.read(bytes)) {
            fail(call, *failure);
        } else if (call.isClientStreaming) {
            deliver(call);
        } else {
            takeRequest(call);
        }
    }
    consume(call);
}

/// Calls of one message begin with it, and do not wait to hear that there is no other.
void Session::takeRequest(KithCall& call) {
    MessageReader& incoming = call.wire.incoming;
    if (incoming.count() > (call.wire.isStarted ? 0 : 1)) {
        fail(call, {StatusCode::internal, "the call has more than one message", {}});
    } else if (!incoming.isEmpty()) {
        call.request = incoming.take();
        connection.outcome.push_back(call.start());
    }
}

void Session::requestEnded(KithCall& call) {
    call.wire.remoteEnded = true;
    if (call.wire.isFailed) {
        return;
    }
    if (call.wire.incoming.isPartial()) {
        fail(call, {StatusCode::internal, "the request ends within a message", {}});
    } else if (call.isClientStreaming) {
        deliver(call);
    } else if (!call.wire.isStarted) {
        fail(call, {StatusCode::internal, "the call has no message", {}});
    }
}

void Session::closed(KithCall& call) {
    call.wire.isClosed = true;
    cancel(call);
    host.deadlines.remove(call);
    // The last goes where this one was.
    const size_t position = call.wire.position;
    open.back()->wire.position = position;
    std::swap(open[position], open.back());
    open.pop_back();  // may free the call
}

/// Client streams: hands the next message to a handler that waits for it.
void Session::deliver(KithCall& call) {
    KithCall::Wire& wire = call.wire;
    if (!wire.isReading) {
        return;
    }
    if (!wire.incoming.isEmpty()) {
        wire.isReading = false;
        call.request = wire.incoming.take();
        consume(call);
        note(call, KithCall::received);
    } else if (wire.remoteEnded || wire.isFailed || wire.isClosed) {
        wire.isReading = false;
        note(call, KithCall::receivedEnd);
    }
}

/// Lets the client send more, unless messages wait for their handler.
void Session::consume(KithCall& call) {
    if (!call.wire.isClosed && call.wire.incoming.count() <= 1) {
        nghttp2_session_consume_stream(session, call.wire.stream, std::exchange(call.wire.unconsumed, 0));
    }
}

// MARK: What handlers ask for

void Session::answer(KithCall& call) {
    KithCall::Wire& wire = call.wire;
    Asked asked = call.takeAsked();
    if (asked.expire && !wire.isAnswered) {
        fail(call, {StatusCode::deadlineExceeded, "the deadline has passed", {}});
    }
    wire.isAnswered = wire.isAnswered || asked.end;
    const bool isOver = wire.isFailed || wire.isClosed;
    uint32_t events = asked.end ? KithCall::done : 0;
    if (asked.read) {
        wire.isReading = true;
        deliver(call);
    }
    if (isOver) {
        events |= asked.write && !asked.end ? KithCall::writeFailed : 0;
    } else if (asked.write || asked.end) {
        if (asked.write) {
            wire.outgoing.begin(std::move(asked.message));
        }
        wire.outgoing.end = std::move(asked.end);
        respond(call);
    }
    if (events != 0) {
        note(call, events);
    }
}

/// Something is there to send.
void Session::respond(KithCall& call) {
    Sending& outgoing = call.wire.outgoing;
    if (outgoing.isHeadSent) {
        nghttp2_session_resume_data(session, call.wire.stream);
        return;
    }
    outgoing.isHeadSent = true;
    HeaderFields fields;
    fields.head();
    if (outgoing.left() == 0) {
        fields.status(*outgoing.end);
        nghttp2_submit_response(session, call.wire.stream, fields.data(), fields.size(), nullptr);
        return;
    }
    const nghttp2_data_provider messages = dataProvider(call);
    nghttp2_submit_response(session, call.wire.stream, fields.data(), fields.size(), &messages);
}

void Session::refuse(KithCall& call, int httpStatus) {
    call.wire.isFailed = true;
    HeaderFields fields;
    fields.refuse(httpStatus);
    nghttp2_submit_response(session, call.wire.stream, fields.data(), fields.size(), nullptr);
}

/// Ends a call from this side.
void Session::fail(KithCall& call, const Status& status) {
    if (call.wire.isFailed || call.wire.isClosed || call.wire.outgoing.end) {
        return;
    }
    call.wire.isFailed = true;
    Sending& outgoing = call.wire.outgoing;
    const bool isWithinMessage = outgoing.sent > 0 && outgoing.left() > 0;
    cancel(call);
    if (isWithinMessage) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call.wire.stream, NGHTTP2_CANCEL);
    } else {
        outgoing.drop();
        outgoing.end = status;
        respond(call);
    }
}

/// Tells the handler, where there is one that has not answered yet.
void Session::cancel(KithCall& call) {
    KithCall::Wire& wire = call.wire;
    if (!wire.isStarted || wire.isAnswered || call.isCancelled.exchange(true)) {
        return;
    }
    note(call, KithCall::wasCancelled | (std::exchange(wire.isReading, false) ? KithCall::receivedEnd : 0) |
                   (wire.outgoing.left() > 0 ? KithCall::writeFailed : 0));
}

void Session::note(KithCall& call, uint32_t events) {
    if (auto work = call.note(events)) {
        if (events == KithCall::done) {
            work->work();  // short, and nobody waits for it: no other thread is woken for that
        } else {
            connection.outcome.push_back(std::move(work));
        }
    }
}

// MARK: What is sent

/// How much of the call's messages a frame with so much room takes.
ssize_t Session::pull(KithCall& call, size_t room, uint32_t* flags) {
    const Sending& outgoing = call.wire.outgoing;
    const size_t count = std::min(outgoing.left(), room);
    if (count == 0 && !outgoing.end) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (count > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    }
    if (count == outgoing.left() && outgoing.end) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        HeaderFields trailers;
        trailers.status(*outgoing.end);
        if (nghttp2_submit_trailer(session, call.wire.stream, trailers.data(), trailers.size()) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return static_cast<ssize_t>(count);
}

/// Sends what `pull` promised. False where there is no room.
bool Session::push(KithCall& call, const uint8_t* frameHead, size_t length) {
    if (!append(frameHead, frameHeadBytes)) {
        return false;
    }
    Sending& outgoing = call.wire.outgoing;
    if (outgoing.sent < Sending::prefixBytes) {
        const auto prefix = outgoing.prefix();
        const size_t some = std::min(Sending::prefixBytes - outgoing.sent, length);
        output.insert(output.end(), prefix.data() + outgoing.sent, prefix.data() + outgoing.sent + some);
        outgoing.sent += some;
        length -= some;
    }
    const uint8_t* const message = outgoing.message.begin() + (outgoing.sent - Sending::prefixBytes);
    if (length > 0) {
        output.insert(output.end(), message, message + length);
        outgoing.sent += length;
    }
    if (outgoing.left() == 0) {
        outgoing.drop();
        if (!outgoing.end) {
            note(call, KithCall::written);
        }
    }
    return true;
}

/// False where there is no room.
bool Session::append(const uint8_t* bytes, size_t count) {
    if (output.size() >= outputBytes && (!flush() || output.size() >= outputBytes)) {
        return false;
    }
    output.insert(output.end(), bytes, bytes + count);
    return true;
}

bool Session::send() {
    do {
        if (nghttp2_session_send(session) != 0 || !flush()) {
            return false;
        }
        // Where the socket takes no more, epoll says when it does again.
    } while (output.empty() && nghttp2_session_want_write(session));
    return nghttp2_session_want_read(session) || nghttp2_session_want_write(session) || !output.empty();
}

bool Session::flush() {
    while (sent < output.size()) {
        const ssize_t count = ::send(connection.socket, output.data() + sent, output.size() - sent, MSG_NOSIGNAL);
        if (count >= 0) {
            sent += static_cast<size_t>(count);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            return false;
        }
    }
    output.erase(output.begin(), output.begin() + static_cast<ptrdiff_t>(sent));
    sent = 0;
    return true;
}

// MARK: All calls

void Session::ping() {
    nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, nullptr);
}

void Session::goAway() {
    nghttp2_submit_goaway(
        session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR, nullptr, 0);
}

void Session::failAll(const Status& status) {
    for (const auto& call : open) {
        fail(*call, status);
    }
}

void Session::closeAll() {
    while (!open.empty()) {
        closed(*open.back());
    }
}

}  // namespace kith
