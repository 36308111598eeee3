#include "MessageReader.hpp"

#include <grpc/slice.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace kith {
namespace {

/// Memory for a message before any of it came: a prefix alone must not reserve more.
constexpr size_t firstRoom = 1 << 20;

uint8_t* begin(const grpc::Slice& slice) {
    return const_cast<uint8_t*>(slice.begin());
}

grpc::Slice allocated(size_t size) {
    return grpc::Slice(grpc_slice_malloc(size), grpc::Slice::STEAL_REF);
}

}  // namespace

std::optional<Status> MessageReader::read(std::string_view bytes) {
    while (!bytes.empty()) {
        if (prefixSize < prefixBytes) {
            const size_t some = std::min(prefixBytes - prefixSize, bytes.size());
            std::memcpy(prefix + prefixSize, bytes.data(), some);
            prefixSize += some;
            bytes.remove_prefix(some);
            if (prefixSize < prefixBytes) {
                return std::nullopt;
            }
            if (auto failure = begin()) {
                return failure;
            }
        }
        const size_t some = std::min(body.size() - bodySize, bytes.size());
        std::memcpy(kith::begin(body) + bodySize, bytes.data(), some);
        bodySize += some;
        bytes.remove_prefix(some);
        if (bodySize == size) {
            if (auto failure = end()) {
                return failure;
            }
        } else if (bodySize == body.size()) {
            growBody();
        }
    }
    return std::nullopt;
}

grpc::Slice MessageReader::take() {
    grpc::Slice message = std::move(messages.front());
    messages.pop_front();
    return message;
}

/// The prefix is whole.
std::optional<Status> MessageReader::begin() {
    size = size_t(prefix[1]) << 24 | size_t(prefix[2]) << 16 | size_t(prefix[3]) << 8 | prefix[4];
    if (prefix[0] > 1) {
        return Status{StatusCode::internal, "the flags of a message are 0 or 1, not " + std::to_string(prefix[0]), {}};
    }
    if (prefix[0] == 1 && encoding == Encoding::identity) {
        return Status{StatusCode::internal, "a compressed message needs grpc-encoding", {}};
    }
    if (size > limit) {
        return Status{
            StatusCode::resourceExhausted,
            "the message has " + std::to_string(size) + " bytes, the limit is " + std::to_string(limit), {}};
    }
    body = allocated(std::min(size, firstRoom));
    bodySize = 0;
    return std::nullopt;
}

void MessageReader::growBody() {
    const grpc::Slice first = std::move(body);
    body = allocated(size);
    std::memcpy(kith::begin(body), first.begin(), bodySize);
}

/// The body is whole.
std::optional<Status> MessageReader::end() {
    if (prefix[0] == 1) {
        if (auto failure = inflate()) {
            return failure;
        }
    }
    messages.push_back(std::move(body));
    body = grpc::Slice();
    prefixSize = 0;
    return std::nullopt;
}

std::optional<Status> MessageReader::inflate() {
    // zlib's own windows, and 32 to tell gzip from deflate by the first bytes.
    constexpr int windows = 15 + 32;
    constexpr size_t smallest = 4 << 10, growth = 4;
    z_stream stream{};
    if (inflateInit2(&stream, windows) != Z_OK) {
        return Status{StatusCode::internal, "no memory to inflate a message", {}};
    }
    stream.next_in = kith::begin(body);
    stream.avail_in = static_cast<uInt>(body.size());
    // One byte above the limit tells a message that is too large from one that is just small enough.
    std::string whole(std::min(limit + 1, std::max(smallest, body.size() * growth)), '\0');
    int result = Z_OK;
    while (result == Z_OK && stream.total_out <= limit) {
        if (stream.total_out == whole.size()) {
            whole.resize(std::min(limit + 1, whole.size() * growth));
        }
        stream.next_out = reinterpret_cast<Bytef*>(whole.data()) + stream.total_out;
        stream.avail_out = static_cast<uInt>(whole.size() - stream.total_out);
        result = ::inflate(&stream, Z_NO_FLUSH);
    }
    const size_t size = stream.total_out;
    const bool isWhole = result == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    if (size > limit) {
        return Status{
            StatusCode::resourceExhausted, "the message has, inflated, more bytes than the limit of " + std::to_string(limit), {}};
    }
    if (!isWhole) {
        return Status{StatusCode::internal, "a message is not compressed as grpc-encoding says", {}};
    }
    body = grpc::Slice(whole.data(), size);
    return std::nullopt;
}

}  // namespace kith
