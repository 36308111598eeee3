// When calls have to be done.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "Sockets/Descriptor.hpp"

struct KithCall;

namespace kith {

/// The deadlines of a server's calls, and one timer for the first of them.
class Deadlines {
public:
    using Clock = std::chrono::steady_clock;
    using Queue = std::multimap<Clock::time_point, std::weak_ptr<KithCall>>;

    /// A call's own deadline.
    struct Entry {
        std::optional<Clock::time_point> time;
        std::optional<Queue::iterator> place;

        /// INT64_MAX without one, 0 when it has passed.
        int64_t remainingMilliseconds() const;
    };

    /// Throws std::system_error.
    Deadlines();

    /// Ready when `expire` is to be called.
    const Descriptor timer;

    /// The call expires after so long, unless it is removed before.
    void add(KithCall& call, std::chrono::nanoseconds timeout);
    void remove(KithCall& call);
    /// Tells the calls whose time has come.
    void expire();

private:
    std::mutex mutex;
    Queue queue;
    /// When the timer fires next. It may find nothing then: most calls end long before, and it is not set anew for each.
    Clock::time_point armed = Clock::time_point::max();

    void arm();
};

}  // namespace kith
