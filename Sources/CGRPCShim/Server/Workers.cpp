#include "Workers.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <string>

namespace kith {
namespace {

/// Sockets that one look at them reports.
constexpr int eventsAtOnce = 16;
/// Works between two looks at the sockets, where there is always more to do: streams could keep all threads busy.
constexpr int worksBetweenLooks = 32;
/// What is posted behind others waits for so many of them at most.
constexpr size_t behindAtMost = 7;

/// Those that this thread is one of.
thread_local const Workers* own = nullptr;

}  // namespace

Workers::Workers(Ready ready)
    : ready(std::move(ready)),
      poll(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      waker(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    // Edge triggered: each write wakes one thread, and nobody needs to read.
    watch(waker, wakeKey, EPOLLIN | EPOLLET);
}

void Workers::start(size_t count) {
    for (size_t number = 0; number < count; ++number) {
        threads.emplace_back([this] { run(); });
        pthread_setname_np(threads.back().native_handle(), ("kith.grpc." + std::to_string(number)).c_str());
    }
}

void Workers::stop() {
    stopping = true;
    wake(1);
    for (auto& thread : threads) {
        thread.join();
    }
    threads.clear();
    // What is left keeps connections, which keep these workers.
    const std::lock_guard lock(mutex);
    queue.clear();
}

bool Workers::watch(int descriptor, uint64_t key, uint32_t events) {
    epoll_event event{events, {}};
    event.data.u64 = key;
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Workers::rewatch(int descriptor, uint64_t key, uint32_t events) {
    epoll_event event{events, {}};
    event.data.u64 = key;
    epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event);
}

void Workers::unwatch(int descriptor) {
    epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nullptr);
}

void Workers::post(std::vector<std::shared_ptr<Work>>& several) {
    if (several.empty() || stopping) {
        several.clear();
        return;
    }
    size_t waiting;
    {
        const std::lock_guard lock(mutex);
        std::move(several.begin(), several.end(), std::back_inserter(queue));
        waiting = queue.size();
    }
    several.clear();
    // A worker takes the first itself.
    wake(isWorker() ? waiting - 1 : waiting);
}

void Workers::wake(size_t count) {
    const uint64_t one = 1;
    for (size_t left = std::min(count, idle.load()); left > 0; --left) {
        // Fails only where the counter is full: then a wakeup is under way.
        (void)!write(waker, &one, sizeof one);
    }
}

void Workers::postBehind(std::shared_ptr<Work> work) {
    size_t before;
    {
        const std::lock_guard lock(mutex);
        before = std::min(queue.size(), behindAtMost);
        queue.insert(queue.begin() + static_cast<ptrdiff_t>(before), std::move(work));
    }
    // This thread takes what is before it, and that may take long.
    if (before > 0) {
        wake(1);
    }
}

bool Workers::isWorker() const { return own == this; }

void Workers::run() {
    own = this;
    Processors::Place place;
    int sinceLook = 0;
    while (true) {
        if (sinceLook < worksBetweenLooks) {
            if (const auto work = next()) {
                processors.enter(place);
                work->work();
                ++sinceLook;
                continue;
            }
            if (stopping) {
                break;
            }
        }
        look(place);
        sinceLook = 0;
    }
    processors.leave(place);
    // The next one ends by the same event.
    wake(1);
}

std::shared_ptr<Work> Workers::next() {
    const std::lock_guard lock(mutex);
    if (queue.empty()) {
        return nullptr;
    }
    auto work = std::move(queue.front());
    queue.pop_front();
    return work;
}

void Workers::look(Processors::Place& place) {
    epoll_event events[eventsAtOnce];
    ++idle;
    bool waits;
    {
        // After `idle` was raised, so that whoever posts from now on wakes this thread.
        const std::lock_guard lock(mutex);
        waits = queue.empty() && !stopping;
    }
    if (waits) {
        processors.leave(place);
    }
    const int count = epoll_wait(poll, events, eventsAtOnce, waits ? -1 : 0);
    --idle;
    processors.enter(place);
    for (int index = 0; index < count; ++index) {
        if (events[index].data.u64 != wakeKey) {
            ready(events[index].data.u64, events[index].events);
        } else if (!waits) {
            // Meant for one that sleeps: this thread has enough to do.
            wake(1);
        }
    }
}

}  // namespace kith
