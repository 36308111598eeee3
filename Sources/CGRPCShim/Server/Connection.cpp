#include "Connection.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "Host.hpp"

namespace kith {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t readBytes = 64 << 10;
/// Reads of one turn, so that a client who sends much leaves time for others.
constexpr int readsOfTurn = 4;
/// A silent client is asked whether it is there, and is gone if it says nothing for so long. Both are looked at by `probe`.
constexpr auto silence = std::chrono::seconds(60), answerTime = std::chrono::seconds(20);

}  // namespace

Connection::Connection(std::shared_ptr<Host> host, Descriptor socket, uint64_t key, std::string peer)
    : socket(std::move(socket)), key(key), peer(std::move(peer)), host(std::move(host)), lastHeard(Clock::now()) {}

void Connection::open() {
    session.emplace(*this, *host);
    serve(toSend);
}

void Connection::serve(uint32_t wished) {
    if (wishes.fetch_or(wished | busy) & busy) {
        return;
    }
    // The turn is ours until nothing is wished any more.
    uint32_t none = busy;
    do {
        while (const uint32_t some = wishes.exchange(busy) & ~busy) {
            take(some);
        }
        none = busy;
    } while (!wishes.compare_exchange_strong(none, 0));
}

void Connection::ask(std::shared_ptr<KithCall> call) {
    // The call keeps this, and may be gone as soon as another thread finds it.
    const auto self = shared_from_this();
    {
        const std::lock_guard lock(askingMutex);
        asking.push_back(std::move(call));
    }
    if (!host->workers.isWorker()) {
        serve(toFlush);
    } else if (!(rest.fetch_or(toFlush) & toFlush)) {
        // Behind calls that wait: their answers are sent together with this one.
        host->workers.postBehind(self);
    }
}

void Connection::take(uint32_t some) {
    if (isClosed) {
        // Handlers still have to be told.
        takeAsked();
        host->workers.post(outcome);
        return;
    }
    if (some & (toRead | toReadAll)) {
        read((some & toReadAll) != 0);
        host->workers.post(outcome);
    }
    if (some & toFlush) {
        takeAsked();
    }
    if (some & toProbe) {
        probe();
    }
    if (some & toGoAway) {
        session->goAway();
    }
    if (some & toFailCalls) {
        session->failAll({StatusCode::unavailable, "the server is shutting down", {}});
    }
    if (some & toClose) {
        close();
    }
    send();
    host->workers.post(outcome);
}

void Connection::read(bool toTheEnd) {
    thread_local std::vector<uint8_t> buffer(readBytes);
    for (int reads = 0; reads < readsOfTurn; ++reads) {
        const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        if (count <= 0 || !session->receive({reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(count)})) {
            // What the session says of it is sent first.
            session->send();
            close();
            return;
        }
        lastHeard = Clock::now();
        isProbed = false;
        if (static_cast<size_t>(count) < buffer.size() && !toTheEnd) {
            return;  // all there was: epoll tells of what comes next
        }
    }
    rest.fetch_or(toTheEnd ? toReadAll : toRead);
    outcome.push_back(shared_from_this());
}

void Connection::takeAsked() {
    {
        const std::lock_guard lock(askingMutex);
        std::swap(asked, asking);
    }
    for (auto& call : asked) {
        session->answer(*call);
    }
    asked.clear();
}

void Connection::send() {
    if (!isClosed && !session->send()) {
        close();
    }
}

void Connection::probe() {
    const auto silent = Clock::now() - lastHeard;
    if (isProbed && silent > silence + answerTime) {
        close();
    } else if (!isProbed && silent > silence) {
        isProbed = true;
        session->ping();
    }
}

void Connection::close() {
    if (isClosed.exchange(true)) {
        return;
    }
    session->closeAll();
    shutdown(socket, SHUT_RDWR);
    host->closed(key);
}

}  // namespace kith
