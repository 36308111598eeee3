#include "Message.hpp"

#include <cstring>
#include <mutex>
#include <vector>

namespace {

/// Messages kept for reuse: 16 MiB of blocks, of which only touched pages count.
constexpr size_t pooledMessages = 64;

/// Last in, first out: the block taken next is still in a core's cache.
struct Pool {
    std::mutex mutex;
    std::vector<std::unique_ptr<KithMessage>> messages;

    Pool() { messages.reserve(pooledMessages); }
};

Pool& pool() {
    // Never destroyed: a call may end while the process exits.
    static Pool* const shared = new Pool;
    return *shared;
}

}  // namespace

std::unique_ptr<KithMessage> KithMessage::take() {
    {
        Pool& shared = pool();
        const std::lock_guard lock(shared.mutex);
        if (!shared.messages.empty()) {
            auto message = std::move(shared.messages.back());
            shared.messages.pop_back();
            return message;
        }
    }
    // Not make_unique, which would clear the block.
    return std::unique_ptr<KithMessage>(new KithMessage);
}

void KithMessage::giveBack(std::unique_ptr<KithMessage> message) {
    message->memory.release();
    Pool& shared = pool();
    const std::lock_guard lock(shared.mutex);
    if (shared.messages.size() < pooledMessages) {
        shared.messages.push_back(std::move(message));
    }
}

KithBytes KithMessage::copy(KithBytes bytes) {
    if (bytes.size == 0) {
        return {};
    }
    auto* const data = static_cast<uint8_t*>(memory.allocate(bytes.size, 1));
    std::memcpy(data, bytes.data, bytes.size);
    return {data, bytes.size};
}

void kith_message_free(KithMessage* message) {
    if (message != nullptr) {
        KithMessage::giveBack(std::unique_ptr<KithMessage>(message));
    }
}
