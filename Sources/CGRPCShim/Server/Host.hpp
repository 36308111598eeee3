// What the connections and calls of one server share.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "CGRPCShim.h"
#include "Deadlines.hpp"
#include "Workers.hpp"

namespace kith {

class Connection;

class Host {
public:
    /// Throws std::system_error.
    Host(const KithServerOptions& options, KithServerCallbacks callbacks, Workers::Ready ready);

    const KithServerCallbacks callbacks;
    const size_t maximumMessageBytes;
    const uint32_t maximumStreams;
    const bool hasReflection;
    Deadlines deadlines;
    Workers workers;

    /// Says which method the path names, and who answers it. False where there is none.
    bool find(std::string_view path, KithCall& call) const;

    // Connections, by the key that they are watched with.
    void add(std::shared_ptr<Connection> connection);
    std::shared_ptr<Connection> connection(uint64_t key);
    std::vector<std::shared_ptr<Connection>> connections();
    void closed(uint64_t key);

    // Calls, from when their handler is told until it is told that they are done.
    void callStarted();
    void callDone();

    /// Waits until no call is open, or the time is over. Says which.
    bool waitForCalls(std::chrono::milliseconds time);
    /// Waits until no connection is open, or the time is over.
    void waitForConnections(std::chrono::milliseconds time);

private:
    std::mutex mutex;
    std::condition_variable changed;
    std::unordered_map<uint64_t, std::shared_ptr<Connection>> open;
    std::atomic<int64_t> openCalls{0};
};

}  // namespace kith
