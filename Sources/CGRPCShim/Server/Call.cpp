#include "Call.hpp"

#include <utility>

#include "Connection.hpp"
#include "Host.hpp"
#include "Messages/Buffer.hpp"

namespace kith {

void Sending::begin(grpc::Slice next) {
    message = std::move(next);
    sent = 0;
    isWriting = true;
}

void Sending::drop() {
    message = grpc::Slice();
    isWriting = false;
}

std::array<uint8_t, Sending::prefixBytes> Sending::prefix() const {
    const auto size = static_cast<uint32_t>(message.size());
    return {0, uint8_t(size >> 24), uint8_t(size >> 16), uint8_t(size >> 8), uint8_t(size)};
}

}  // namespace kith

KithCall::KithCall(kith::Host& host, std::shared_ptr<kith::Connection> connection, int32_t stream)
    : host(host), connection(std::move(connection)), wire(stream, host.maximumMessageBytes) {}

std::shared_ptr<kith::Work> KithCall::start() {
    host.callStarted();
    self = shared_from_this();
    wire.isStarted = true;
    return note(started);
}

std::shared_ptr<kith::Work> KithCall::note(uint32_t event) {
    const std::lock_guard lock(mutex);
    events |= event;
    return std::exchange(isTelling, true) ? nullptr : shared_from_this();
}

void KithCall::work() {
    while (true) {
        uint32_t some;
        {
            const std::lock_guard lock(mutex);
            some = std::exchange(events, 0);
            if (some == 0) {
                isTelling = false;
                return;
            }
        }
        if (tell(some)) {
            return;
        }
    }
}

/// Whether that was the last.
bool KithCall::tell(uint32_t some) {
    if (some & started) {
        tag = callbacks->started(callbacks->context, this, method);
    }
    if (some & (received | receivedEnd)) {
        callbacks->received(callbacks->context, this, tag, (some & received) != 0);
    }
    if (some & (written | writeFailed)) {
        callbacks->written(callbacks->context, this, tag, (some & written) != 0);
    }
    if (some & wasCancelled) {
        callbacks->cancelled(callbacks->context, this, tag);
    }
    if ((some & done) == 0) {
        return false;
    }
    callbacks->done(callbacks->context, tag);
    host.callDone();
    // The last thing, for it may free the call.
    const auto last = std::move(self);
    return true;
}

template <class Change>
void KithCall::ask(Change change) {
    bool isFirst;
    {
        const std::lock_guard lock(mutex);
        change(asked);
        isFirst = !std::exchange(isAsking, true);
    }
    if (isFirst) {
        connection->ask(shared_from_this());
    }
}

kith::Asked KithCall::takeAsked() {
    const std::lock_guard lock(mutex);
    isAsking = false;
    return std::exchange(asked, {});
}

void KithCall::write(grpc::Slice message) {
    ask([&](kith::Asked& asked) {
        asked.message = std::move(message);
        asked.write = true;
    });
}

void KithCall::read() {
    ask([](kith::Asked& asked) { asked.read = true; });
}

void KithCall::finish(std::optional<grpc::Slice> message, kith::Status status) {
    ask([&](kith::Asked& asked) {
        if (message) {
            asked.message = std::move(*message);
            asked.write = true;
        }
        asked.end = std::move(status);
    });
}

void KithCall::expire() {
    ask([](kith::Asked& asked) { asked.expire = true; });
}

KithBytes kith_call_request(KithCall* call) {
    return kith::bytes(call->request);
}

int64_t kith_call_remaining_milliseconds(KithCall* call) {
    return call->deadline.remainingMilliseconds();
}

bool kith_call_is_cancelled(KithCall* call) {
    return call->isCancelled.load(std::memory_order_relaxed);
}

KithBytes kith_call_peer(KithCall* call) {
    return kith::bytes(std::string_view(call->connection->peer));
}

void kith_call_reply(KithCall* call, KithBuffer* response) {
    call->finish(kith::takeSlice(response), kith::Status());
}

void kith_call_finish(KithCall* call, int32_t code, KithBytes message, KithBytes status_details) {
    call->finish(std::nullopt, {code, std::string(kith::text(message)), std::string(kith::text(status_details))});
}

void kith_call_write(KithCall* call, KithBuffer* message) {
    call->write(kith::takeSlice(message));
}

void kith_call_read(KithCall* call) {
    call->read();
}
