// A load generator: one thread over nghttp2, which allocates nothing of its own for a call.
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "CGRPCShim.h"
#include "LatencyHistogram.hpp"
#include "LoadConnection.hpp"

namespace kith {
namespace {

uint64_t nanoseconds(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// A message as gRPC sends it: five bytes, uncompressed and how long, before it.
std::string framed(KithBytes message) {
    std::string all(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
        all.push_back(static_cast<char>(message.size >> shift));
    }
    return all.append(reinterpret_cast<const char*>(message.data), message.size);
}

/// Timers of this thread fire on time, not up to 50 us late.
class ExactTimers {
public:
    ExactTimers() { prctl(PR_SET_TIMERSLACK, 1); }
    ~ExactTimers() { prctl(PR_SET_TIMERSLACK, 0); }
};

/// One run, from the first call to the last answer.
class Run {
public:
    Run(const KithBytes* requests, size_t count, int32_t inFlight, double rate, double seconds)
        : calls(static_cast<size_t>(inFlight)),
          interval(rate > 0 ? 1e9 / rate : 0),
          duration(seconds > 0 ? static_cast<uint64_t>(seconds * 1e9) : 0),
          callLimit(seconds > 0 ? UINT64_MAX : count) {
        for (size_t index = 0; index < count; ++index) {
            messages.push_back(framed(requests[index]));
        }
        for (LoadCall& call : calls) {
            idle.push_back(&call);
        }
        ended.reserve(calls.size());
    }

    void connect(const char* address, const char* method, int32_t count) {
        for (int32_t index = 0; index < count; ++index) {
            connections.emplace_back(address, method, ended);
        }
        polled.resize(connections.size());
    }

    void go() {
        const ExactTimers timers;
        const uint64_t processorTime = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        begun = nanoseconds(CLOCK_MONOTONIC);
        end = duration > 0 ? begun + duration : UINT64_MAX;
        for (uint64_t now = begun; startDue(now) || idle.size() < calls.size();) {
            wait();
            now = nanoseconds(CLOCK_MONOTONIC);
            finish(now);
        }
        result.seconds = static_cast<double>(nanoseconds(CLOCK_MONOTONIC) - begun) / 1e9;
        result.client_cpu_seconds = static_cast<double>(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - processorTime) / 1e9;
    }

    uint64_t callsUnderWay() const { return calls.size() - idle.size(); }

    KithLoadResult result{};
    LatencyHistogram latencies;

private:
    /// Of a timer, which may cost as much as a call: what is due meanwhile starts that much late, and its latency tells.
    static constexpr uint64_t shortestSleep = 200'000;

    std::deque<LoadConnection> connections;
    std::vector<pollfd> polled;
    std::vector<LoadCall> calls;
    std::vector<LoadCall*> idle, ended;
    std::vector<std::string> messages;
    /// Between calls that the clock starts; 0: only an answer makes room for a call.
    const double interval;
    const uint64_t duration, callLimit;
    uint64_t begun = 0, end = 0, started = 0;

    uint64_t nextDue(uint64_t now) const {
        return interval == 0 ? now : begun + static_cast<uint64_t>(interval * static_cast<double>(started));
    }

    bool hasNext(uint64_t now) const { return started < callLimit && std::max(now, nextDue(now)) < end; }

    /// Starts what is due as far as there is room. Whether more is to come.
    bool startDue(uint64_t now) {
        while (!idle.empty() && hasNext(now) && nextDue(now) <= now) {
            LoadCall& call = *idle.back();
            idle.pop_back();
            call.begun = nextDue(now);
            call.unsent = messages[started % messages.size()];
            connections[started % connections.size()].start(call);
            ++started;
        }
        return hasNext(now);
    }

    /// Sends, then sleeps until an answer comes or a call is due.
    void wait() {
        for (size_t index = 0; index < connections.size(); ++index) {
            connections[index].send();
            polled[index] = {connections[index].socket, static_cast<short>(POLLIN | (connections[index].isFull() ? POLLOUT : 0)), 0};
        }
        const std::optional<timespec> pause = timeUntilDue();
        if (ppoll(polled.data(), polled.size(), pause ? &*pause : nullptr, nullptr) < 0 && errno != EINTR) {
            checked(-1, "ppoll");
        }
        for (size_t index = 0; index < connections.size(); ++index) {
            if (polled[index].revents & ~POLLOUT) {
                connections[index].receive();
            }
        }
    }

    /// None: only an answer can start a call.
    std::optional<timespec> timeUntilDue() const {
        if (!ended.empty()) {
            return timespec{};
        }
        const uint64_t now = nanoseconds(CLOCK_MONOTONIC), due = nextDue(now);
        if (idle.empty() || !hasNext(now)) {
            return std::nullopt;
        }
        const uint64_t left = due > now ? std::max(due - now, shortestSleep) : 0;
        return timespec{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    }

    void finish(uint64_t now) {
        for (LoadCall* const call : ended) {
            ++result.calls;
            if (call->isOK) {
                latencies.add(now - call->begun);
            } else {
                ++result.errors;
            }
            idle.push_back(call);
        }
        ended.clear();
    }
};

}  // namespace
}  // namespace kith

KithLoadResult kith_load_run(const char* address, const char* method, const KithBytes* requests, size_t request_count,
                             int32_t connections, int32_t in_flight, double rate, double seconds) {
    if (request_count == 0 || connections <= 0 || in_flight <= 0) {
        return {};
    }
    kith::Run run(requests, request_count, in_flight, rate, seconds);
    try {
        run.connect(address, method, connections);
        run.go();
    } catch (const std::exception&) {
        // No connection, or one that broke.
        const uint64_t lost = std::max<uint64_t>(1, run.callsUnderWay());
        run.result.calls += lost;
        run.result.errors += lost;
    }
    KithLoadResult result = run.result;
    result.p50_us = run.latencies.microseconds(0.5);
    result.p90_us = run.latencies.microseconds(0.9);
    result.p99_us = run.latencies.microseconds(0.99);
    result.p999_us = run.latencies.microseconds(0.999);
    result.max_us = run.latencies.maxMicroseconds();
    return result;
}
