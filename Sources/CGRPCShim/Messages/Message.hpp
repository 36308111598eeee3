// KithMessage: the memory behind a decoded view.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>

#include "CGRPCShim.h"

/// A copy of the message and the arrays that views point to, in one growing block that is reused from call to call.
struct KithMessage {
private:
    /// Enough for a hundred points of 384 floats: most messages allocate nothing.
    alignas(std::max_align_t) std::array<std::byte, 256 << 10> block;

public:
    std::pmr::monotonic_buffer_resource memory{block.data(), block.size()};

    /// A message from the pool, or a new one.
    static std::unique_ptr<KithMessage> take();
    /// Back to the pool, or freed where the pool is full.
    static void giveBack(std::unique_ptr<KithMessage> message);

    KithBytes copy(KithBytes bytes);
};
