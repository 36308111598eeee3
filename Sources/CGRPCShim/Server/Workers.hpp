// The threads of a server: they wait for sockets, and run what came of them.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "Processors.hpp"
#include "Sockets/Descriptor.hpp"
#include "Work.hpp"

namespace kith {

/// Threads that are all alike: each takes work from one queue, and where there is none, waits for any socket to become ready.
/// So a message is mostly read, answered and sent by one thread, without a word to another. Waking a thread
/// costs about as much as a search: what is ready is handed over only while others sleep.
class Workers {
public:
    /// What to do about a descriptor that is ready, by the key it was watched with and epoll's events.
    using Ready = std::function<void(uint64_t key, uint32_t events)>;

    /// Throws std::system_error.
    explicit Workers(Ready ready);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    void start(size_t threads);
    /// Ends the threads once they have nothing left to do; what is posted from then on is dropped: no call may be open. Not from
    /// one of them.
    void stop();

    /// Watches a descriptor, level or edge triggered as `events` say. False where the system refuses.
    bool watch(int descriptor, uint64_t key, uint32_t events);
    /// Changes what a descriptor is watched for.
    void rewatch(int descriptor, uint64_t key, uint32_t events);
    void unwatch(int descriptor);

    /// Adds to the queue what is moved from.
    void post(std::vector<std::shared_ptr<Work>>& several);

    /// Adds to the queue, behind some of what is there: what collects meanwhile is done at once then. On a worker.
    void postBehind(std::shared_ptr<Work> work);
    /// Whether the calling thread is one of them.
    bool isWorker() const;

private:
    static constexpr uint64_t wakeKey = 0;

    const Ready ready;
    const Descriptor poll, waker;
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::deque<std::shared_ptr<Work>> queue;
    /// Threads that wait for sockets, or are about to.
    std::atomic<size_t> idle{0};
    std::atomic<bool> stopping{false};
    Processors processors;

    void run();
    std::shared_ptr<Work> next();
    /// Takes what the sockets have; waits for it where there is nothing else to do.
    void look(Processors::Place& place);
    void wake(size_t count);
};

}  // namespace kith
