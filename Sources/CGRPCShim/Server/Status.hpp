// How a call ends, and the header fields that say so.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kith {

/// Those that the transport itself gives; handlers give any.
namespace StatusCode {
constexpr int32_t ok = 0, cancelled = 1, deadlineExceeded = 4, resourceExhausted = 8, unimplemented = 12, internal = 13, unavailable = 14;
}

struct Status {
    int32_t code = StatusCode::ok;
    /// UTF-8.
    std::string message;
    /// A serialised google.rpc.Status, or nothing.
    std::string details;
};

/// Fields for nghttp2, with the memory of those that are not literals.
class HeaderFields {
public:
    /// ":status", "content-type" and the encodings that requests may have.
    void head();
    /// A head for what is not gRPC.
    void refuse(int httpStatus);
    void status(const Status& status);

    const nghttp2_nv* data() const { return fields.data(); }
    size_t size() const { return fields.size(); }

private:
    std::vector<nghttp2_nv> fields;
    std::string code, message, details;

    void add(std::string_view name, std::string_view value);
};

}  // namespace kith
