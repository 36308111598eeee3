#include "Host.hpp"

#include "Call.hpp"
#include "Connection.hpp"
#include "Methods.hpp"
#include "Reflection.hpp"

namespace kith {

/// Calls of one connection at once, where the options do not say. Clients keep more back until others end.
constexpr uint32_t defaultStreams = 4'096;

Host::Host(const KithServerOptions& options, KithServerCallbacks callbacks, Workers::Ready ready)
    : callbacks(callbacks),
      maximumMessageBytes(options.max_message_bytes),
      maximumStreams(options.max_concurrent_streams > 0 ? static_cast<uint32_t>(options.max_concurrent_streams) : defaultStreams),
      hasReflection(options.reflection),
      workers(std::move(ready)) {}

bool Host::find(std::string_view path, KithCall& call) const {
    if (hasReflection && isReflection(path)) {
        call.callbacks = &reflectionCallbacks();
        call.isClientStreaming = true;
        return true;
    }
    const int32_t method = methodNumber(path);
    if (method < 0) {
        return false;
    }
    call.method = method;
    call.callbacks = &callbacks;
    call.isClientStreaming = methods()[method].clientStreaming;
    return true;
}

void Host::add(std::shared_ptr<Connection> connection) {
    const std::lock_guard lock(mutex);
    open.emplace(connection->key, std::move(connection));
}

std::shared_ptr<Connection> Host::connection(uint64_t key) {
    const std::lock_guard lock(mutex);
    const auto found = open.find(key);
    return found == open.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Connection>> Host::connections() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [key, connection] : open) {
        all.push_back(connection);
    }
    return all;
}

void Host::closed(uint64_t key) {
    const std::lock_guard lock(mutex);
    open.erase(key);
    changed.notify_all();
}

void Host::callStarted() {
    ++openCalls;
}

void Host::callDone() {
    if (--openCalls == 0) {
        const std::lock_guard lock(mutex);
        changed.notify_all();
    }
}

bool Host::waitForCalls(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, time, [&] { return openCalls == 0; });
}

void Host::waitForConnections(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, time, [&] { return open.empty(); });
}

}  // namespace kith
