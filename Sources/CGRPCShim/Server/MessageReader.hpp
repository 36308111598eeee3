// From the bytes of a stream to messages, each with a prefix of five bytes: a flag and the length (grpc/grpc doc/PROTOCOL-HTTP2.md).
#pragma once
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "RequestHead.hpp"
#include "Status.hpp"

namespace kith {

class MessageReader {
public:
    /// - limit: bytes of a message, compressed and not.
    explicit MessageReader(size_t limit) : limit(limit) {}

    void expect(Encoding encoding) { this->encoding = encoding; }

    /// Takes the next bytes. What is wrong with them ends the call.
    std::optional<Status> read(std::string_view bytes);

    /// Whether a message is begun and not whole.
    bool isPartial() const { return prefixSize > 0; }
    bool isEmpty() const { return messages.empty(); }
    size_t count() const { return messages.size(); }
    /// The first whole message.
    grpc::Slice take();

private:
    static constexpr size_t prefixBytes = 5;

    const size_t limit;
    Encoding encoding = Encoding::identity;
    uint8_t prefix[prefixBytes];
    size_t prefixSize = 0;
    /// Bytes that the prefix says; room for them, or the first of them; and how many came.
    size_t size = 0;
    grpc::Slice body;
    size_t bodySize = 0;
    std::deque<grpc::Slice> messages;

    std::optional<Status> begin();
    void growBody();
    std::optional<Status> end();
    std::optional<Status> inflate();
};

}  // namespace kith
