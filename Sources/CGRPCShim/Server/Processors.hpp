// Where the threads of a server run.
#pragma once
#include <sched.h>

#include <atomic>
#include <chrono>
#include <vector>

namespace kith {

/// Keeps threads that have something to do on processors of their own.
///
/// While all processors are busy Linux evens out their loads every few tens of milliseconds only, however little some of the threads
/// matter: for so long two threads of a server may share one, while threads that link vectors, at a low priority, have the
/// others. Pinning would hold too, but threads made by a pinned one inherit that: the store's and the runtime's.
class Processors {
public:
    /// Where a thread works, as far as it knows; its own.
    struct Place {
        int processor = -1;
        /// Since when it has shared the processor with others, without waiting in between; zero: it does not.
        std::chrono::steady_clock::time_point shared{};
    };

    /// The calling thread is about to work. Moves it where it has shared its processor for a while and another has none of them.
    void enter(Place& place);
    /// The calling thread is about to wait.
    void leave(Place& place);

private:
    struct alignas(64) Processor {
        /// Threads that work there.
        std::atomic<int> workers{0};
    };

    /// By number.
    std::vector<Processor> processors = std::vector<Processor>(CPU_SETSIZE);

    void moveAway(Place& place);
};

}  // namespace kith
