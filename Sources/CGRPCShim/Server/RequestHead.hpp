// The header fields of a request that a gRPC server looks at (grpc/grpc doc/PROTOCOL-HTTP2.md).
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "Status.hpp"

namespace kith {

enum class Encoding { identity, gzip, deflate };

class RequestHead {
public:
    /// Bytes of all names and values, each with 32 of overhead, as RFC 9113 counts them: more end the call.
    static constexpr size_t maximumBytes = 16 << 10;

    void add(std::string_view name, std::string_view value);

    /// What HTTP status to refuse the request with, as it is no gRPC; 200 where it is.
    int httpStatus() const;
    /// Why the call cannot be made.
    std::optional<Status> refusal() const;

    std::string_view path() const { return requestPath; }
    Encoding encoding() const { return messageEncoding; }
    /// Until the client's deadline.
    std::optional<std::chrono::nanoseconds> timeout() const { return requestTimeout; }
    /// A metadata value; empty where it is missing. Only those that are kept.
    std::string_view metadata(std::string_view name) const;

private:
    std::string requestPath;
    std::vector<std::pair<std::string_view, std::string>> kept;
    std::optional<std::chrono::nanoseconds> requestTimeout;
    Encoding messageEncoding = Encoding::identity;
    size_t bytes = 0;
    bool isPost = false, isGRPC = false;
    /// The values that could not be read.
    std::optional<Status> malformed;
};

}  // namespace kith
