// KithBuffer: a gRPC slice, so that what was encoded is sent without a copy.
#pragma once
#include <grpc/slice.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string_view>

#include "CGRPCShim.h"

struct KithBuffer {
    grpc::Slice slice;
};

namespace kith {

inline KithBytes bytes(const grpc::Slice& slice) {
    return {slice.begin(), slice.size()};
}

inline KithBytes bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view text(KithBytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}

/// Takes over the slice. NULL when memory ends.
KithBuffer* makeBuffer(grpc_slice slice) noexcept;

/// Copies the text. NULL when memory ends.
KithBuffer* makeBuffer(std::string_view text) noexcept;

/// What the buffer holds, which it frees.
grpc::Slice takeSlice(KithBuffer* buffer);

/// The message as one piece: copied only when it came in several.
grpc::Slice contiguous(const grpc::ByteBuffer& message);

}  // namespace kith
