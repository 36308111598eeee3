#include "Buffer.hpp"

#include <memory>
#include <new>

KithBytes kith_buffer_bytes(const KithBuffer* buffer) {
    return kith::bytes(buffer->slice);
}

void kith_buffer_free(KithBuffer* buffer) {
    delete buffer;
}

namespace kith {

KithBuffer* makeBuffer(grpc_slice slice) noexcept {
    grpc::Slice owner(slice, grpc::Slice::STEAL_REF);
    return new (std::nothrow) KithBuffer{std::move(owner)};
}

KithBuffer* makeBuffer(std::string_view text) noexcept {
    return makeBuffer(grpc_slice_from_copied_buffer(text.data(), text.size()));
}

grpc::Slice takeSlice(KithBuffer* buffer) {
    const std::unique_ptr<KithBuffer> owner(buffer);
    return std::move(owner->slice);
}

grpc::Slice contiguous(const grpc::ByteBuffer& message) {
    grpc::Slice slice;
    if (message.Valid() && !message.TrySingleSlice(&slice).ok()) {
        message.DumpToSingleSlice(&slice);
    }
    return slice;
}

}  // namespace kith
