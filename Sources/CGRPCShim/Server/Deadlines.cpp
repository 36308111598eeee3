#include "Deadlines.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <vector>

#include "Call.hpp"

namespace kith {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::nanoseconds, std::chrono::seconds;

int64_t Deadlines::Entry::remainingMilliseconds() const {
    return time ? std::max<int64_t>(0, duration_cast<milliseconds>(*time - Clock::now()).count()) : INT64_MAX;
}

Deadlines::Deadlines() : timer(checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")) {}

void Deadlines::add(KithCall& call, nanoseconds timeout) {
    const auto time = Clock::now() + timeout;
    const std::lock_guard lock(mutex);
    call.deadline = {time, queue.emplace(time, call.weak_from_this())};
    arm();
}

void Deadlines::remove(KithCall& call) {
    if (!call.deadline.time) {
        return;
    }
    const std::lock_guard lock(mutex);
    if (const auto place = std::exchange(call.deadline.place, std::nullopt)) {
        queue.erase(*place);
    }
}

void Deadlines::expire() {
    std::vector<std::shared_ptr<KithCall>> expired;
    {
        const std::lock_guard lock(mutex);
        const auto end = queue.upper_bound(Clock::now());
        for (auto place = queue.begin(); place != end; ++place) {
            if (auto call = place->second.lock()) {
                call->deadline.place.reset();
                expired.push_back(std::move(call));
            }
        }
        queue.erase(queue.begin(), end);
        armed = Clock::time_point::max();
        arm();
    }
    for (const auto& call : expired) {
        call->expire();
    }
}

void Deadlines::arm() {
    if (queue.empty() || queue.begin()->first >= armed) {
        return;
    }
    armed = queue.begin()->first;
    // The steady clock is CLOCK_MONOTONIC. Zero would disarm.
    const auto since = std::max(armed.time_since_epoch(), Clock::duration(1));
    const auto whole = duration_cast<seconds>(since);
    const itimerspec setting{{}, {whole.count(), duration_cast<nanoseconds>(since - whole).count()}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, nullptr);
}

}  // namespace kith
