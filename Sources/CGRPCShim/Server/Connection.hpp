// One connection: a socket and the HTTP/2 session over it.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "Call.hpp"
#include "Session.hpp"
#include "Sockets/Descriptor.hpp"
#include "Work.hpp"

namespace kith {

/// Served by one thread at a time, in turns: who comes while another is at it leaves a wish, and goes.
class Connection final : public Work, public std::enable_shared_from_this<Connection> {
public:
    enum Wish : uint32_t {
        toRead = 1,
        /// The client sends no more: what it sent is read to the end.
        toReadAll = 2,
        toFlush = 4,
        toSend = 8,
        toProbe = 16,
        toGoAway = 32,
        toFailCalls = 64,
        toClose = 128,
    };

    Connection(std::shared_ptr<Host> host, Descriptor socket, uint64_t key, std::string peer);

    const Descriptor socket;
    const uint64_t key;
    /// host:port of the client.
    const std::string peer;
    std::atomic<bool> isClosed{false};

    /// Begins the session, before anything is read.
    void open();
    /// Does what is wished, in a turn: now, or whoever has the turn soon.
    void serve(uint32_t wishes);
    /// What was left for after others.
    void work() override { serve(rest.exchange(0)); }

    /// A handler asked for something.
    void ask(std::shared_ptr<KithCall> call);

private:
    friend class Session;
    static constexpr uint32_t busy = 1u << 31;

    /// Kept, for a thread that is not the server's may have the last turn while that one stops.
    const std::shared_ptr<Host> host;
    std::atomic<uint32_t> wishes{0}, rest{0};
    std::mutex askingMutex;
    std::vector<std::shared_ptr<KithCall>> asking;

    // Only in a turn.
    std::optional<Session> session;
    std::vector<std::shared_ptr<KithCall>> asked;
    std::vector<std::shared_ptr<Work>> outcome;
    std::chrono::steady_clock::time_point lastHeard;
    bool isProbed = false;

    void take(uint32_t wishes);
    void read(bool toTheEnd);
    void takeAsked();
    void send();
    void probe();
    void close();
};

}  // namespace kith
