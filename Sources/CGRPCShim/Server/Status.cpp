#include "Status.hpp"

#include <absl/strings/escaping.h>

namespace kith {
namespace {

/// As grpc-message is written: bytes that are not printable ASCII, and the percent sign, become %XX.
std::string percentEncoded(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte >= 0x20 && byte < 0x7F && byte != '%') {
            encoded += letter;
        } else {
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return encoded;
}

/// Without padding, as clients take it with and without.
std::string base64(std::string_view bytes) {
    std::string encoded = absl::Base64Escape({bytes.data(), bytes.size()});
    encoded.erase(encoded.find_last_not_of('=') + 1);
    return encoded;
}

uint8_t* pointer(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

void HeaderFields::add(std::string_view name, std::string_view value) {
    // Names are literals; nghttp2 copies values when fields are submitted.
    fields.push_back({pointer(name), pointer(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME});
}

void HeaderFields::head() {
    add(":status", "200");
    add("content-type", "application/grpc");
    add("grpc-accept-encoding", "identity,deflate,gzip");
}

void HeaderFields::refuse(int httpStatus) {
    code = std::to_string(httpStatus);
    add(":status", code);
}

void HeaderFields::status(const Status& status) {
    code = std::to_string(status.code);
    add("grpc-status", code);
    if (!status.message.empty()) {
        message = percentEncoded(status.message);
        add("grpc-message", message);
    }
    if (!status.details.empty()) {
        details = base64(status.details);
        add("grpc-status-details-bin", details);
    }
}

}  // namespace kith
