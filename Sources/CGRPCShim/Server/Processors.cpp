#include "Processors.hpp"

namespace kith {
namespace {

/// Threads that share a processor for less wait for sockets often enough: moving one costs as much as waking it.
constexpr std::chrono::microseconds longestShare{300};

}  // namespace

void Processors::enter(Place& place) {
    const int here = sched_getcpu();
    if (here < 0 || static_cast<size_t>(here) >= processors.size()) {
        return;
    }
    if (here != place.processor) {
        leave(place);
        place.processor = here;
        ++processors[here].workers;
    }
    if (processors[here].workers == 1) {
        place.shared = {};
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (place.shared == std::chrono::steady_clock::time_point{}) {
        place.shared = now;
    } else if (now - place.shared >= longestShare) {
        place.shared = {};
        moveAway(place);
    }
}

void Processors::leave(Place& place) {
    if (place.processor >= 0) {
        --processors[place.processor].workers;
        place.processor = -1;
    }
    place.shared = {};
}

void Processors::moveAway(Place& place) {
    // Asked each time: who runs the server may change it. Where there are more than a set holds, threads stay where they are put.
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    for (int other = 0; other < CPU_SETSIZE; ++other) {
        int none = 0;
        if (!CPU_ISSET(other, &allowed) || !processors[other].workers.compare_exchange_strong(none, 1)) {
            continue;
        }
        leave(place);
        place.processor = other;
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(other, &only);
        // Hints: where the system refuses, the thread stays.
        if (sched_setaffinity(0, sizeof only, &only) == 0) {
            (void)!sched_setaffinity(0, sizeof allowed, &allowed);
        }
        return;
    }
}

}  // namespace kith
