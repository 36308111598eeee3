#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "Connection.hpp"
#include "Host.hpp"
#include "Listener.hpp"
#include "Messages/Buffer.hpp"

namespace {

/// How long the last answers take to arrive, generously.
constexpr auto settleTime = std::chrono::milliseconds(100);
/// How often connections are looked at, whether their clients are still there.
constexpr time_t probeSeconds = 5;

// What descriptors are watched as; a connection as a number above all.
constexpr uint64_t deadlineKey = 1, probeKey = 2, firstListenerKey = 3;

}  // namespace

struct KithServer {
    const std::shared_ptr<kith::Host> host;
    int port = 0;
    const std::vector<kith::Descriptor> listeners;
    const kith::Descriptor probeTimer;
    std::atomic<uint64_t> nextKey{0};
    /// Listening rests, as there are no descriptors left for more connections.
    std::atomic<bool> isFull{false};
    std::atomic<bool> isStopped{false};

    KithServer(const KithServerOptions& options, KithServerCallbacks callbacks)
        : host(std::make_shared<kith::Host>(
              options, callbacks, [this](uint64_t key, uint32_t events) { ready(key, events); })),
          listeners(kith::listenOn(options.address, port)),
          probeTimer(kith::checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
          nextKey(firstListenerKey + listeners.size()) {
        const itimerspec interval{{probeSeconds, 0}, {probeSeconds, 0}};
        timerfd_settime(probeTimer, 0, &interval, nullptr);
        host->workers.watch(host->deadlines.timer, deadlineKey, EPOLLIN | EPOLLET);
        host->workers.watch(probeTimer, probeKey, EPOLLIN | EPOLLET);
        for (size_t index = 0; index < listeners.size(); ++index) {
            host->workers.watch(listeners[index], firstListenerKey + index, EPOLLIN);
        }
        host->workers.start(std::max(2u, std::thread::hardware_concurrency()));
    }

    ~KithServer() { host->workers.stop(); }

    void ready(uint64_t key, uint32_t events) {
        if (key == deadlineKey) {
            host->deadlines.expire();
        } else if (key == probeKey) {
            probe();
        } else if (key < firstListenerKey + listeners.size()) {
            accept(key);
        } else if (const auto connection = host->connection(key)) {
            connection->serve(wishes(events));
        }
    }

    static uint32_t wishes(uint32_t events) {
        if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
            return kith::Connection::toReadAll;
        }
        return events & EPOLLIN ? kith::Connection::toRead : kith::Connection::toSend;
    }

    void accept(uint64_t key) {
        const auto& listener = listeners[key - firstListenerKey];
        while (true) {
            kith::Accepted accepted = kith::accept(listener);
            if (accepted.socket < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                    // It would be reported as ready again and again. In this order: who sees that it is full watches it anew.
                    host->workers.rewatch(listener, key, 0);
                    isFull = true;
                } else if (errno == EINTR || errno == ECONNABORTED) {
                    continue;
                }
                return;
            }
            const uint64_t number = nextKey++;
            const auto connection =
                std::make_shared<kith::Connection>(host, std::move(accepted.socket), number, std::move(accepted.peer));
            host->add(connection);
            connection->open();
            if (!host->workers.watch(connection->socket, number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) {
                connection->serve(kith::Connection::toClose);
            }
        }
    }

    void probe() {
        // The timer goes on only when it is read.
        uint64_t times = 0;
        (void)!read(probeTimer, &times, sizeof times);
        serveAll(kith::Connection::toProbe);
        if (isFull.exchange(false) && !isStopped) {
            for (size_t index = 0; index < listeners.size(); ++index) {
                host->workers.rewatch(listeners[index], firstListenerKey + index, EPOLLIN);
            }
        }
    }

    void serveAll(uint32_t wishes) {
        for (const auto& connection : host->connections()) {
            connection->serve(wishes);
        }
    }

    void stop(std::chrono::milliseconds grace) {
        if (isStopped.exchange(true)) {
            return;
        }
        for (const auto& listener : listeners) {
            host->workers.unwatch(listener);
            shutdown(listener, SHUT_RDWR);
        }
        serveAll(kith::Connection::toGoAway);
        if (!host->waitForCalls(grace)) {
            serveAll(kith::Connection::toFailCalls);
            waitForCalls();
        }
        // Clients leave when they have no call; those that do not look at their connection are cut off.
        host->waitForConnections(settleTime);
        serveAll(kith::Connection::toClose);
        waitForCalls();
        host->workers.stop();
    }

    /// For their handlers, who know that they are cancelled.
    void waitForCalls() {
        while (!host->waitForCalls(settleTime)) {
        }
    }
};

KithServer* kith_server_start(const KithServerOptions* options, KithServerCallbacks callbacks, KithBuffer** error) {
    *error = nullptr;
    try {
        return new KithServer(*options, callbacks);
    } catch (const std::exception& failure) {
        *error = kith::makeBuffer(failure.what());
        return nullptr;
    }
}

int32_t kith_server_port(const KithServer* server) {
    return server->port;
}

void kith_server_stop(KithServer* server, int64_t grace_milliseconds) {
    server->stop(std::chrono::milliseconds(grace_milliseconds));
}

void kith_server_free(KithServer* server) {
    delete server;
}
