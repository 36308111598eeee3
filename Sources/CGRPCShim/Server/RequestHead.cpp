#include "RequestHead.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace kith {
namespace {

/// Metadata that is asked for later (RequestContext.cpp).
constexpr std::array<std::string_view, 4> keptNames = {"user-agent", "kith-actor", "kith-client", "traceparent"};
constexpr size_t fieldOverhead = 32;

bool startsWith(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

/// "application/grpc", with a subtype or parameters or without.
bool isGRPCContent(std::string_view type) {
    constexpr std::string_view grpc = "application/grpc";
    return startsWith(type, grpc) && (type.size() == grpc.size() || type[grpc.size()] == '+' || type[grpc.size()] == ';');
}

/// At most eight digits and a unit.
std::optional<std::chrono::nanoseconds> parseTimeout(std::string_view text) {
    constexpr size_t maximumDigits = 8;
    if (text.size() < 2 || text.size() > maximumDigits + 1) {
        return std::nullopt;
    }
    const char* const end = text.data() + text.size() - 1;
    int64_t amount = 0;
    const auto parsed = std::from_chars(text.data(), end, amount);
    if (parsed.ec != std::errc() || parsed.ptr != end || amount < 0) {
        return std::nullopt;
    }
    switch (text.back()) {
        case 'n': return std::chrono::nanoseconds(amount);
        case 'u': return std::chrono::microseconds(amount);
        case 'm': return std::chrono::milliseconds(amount);
        case 'S': return std::chrono::seconds(amount);
        case 'M': return std::chrono::minutes(amount);
        // More hours than nanoseconds can count are as good as these.
        case 'H': return std::chrono::hours(std::min<int64_t>(amount, 1'000'000));
        default: return std::nullopt;
    }
}

}  // namespace

void RequestHead::add(std::string_view name, std::string_view value) {
    bytes += name.size() + value.size() + fieldOverhead;
    if (bytes > maximumBytes) {
        return;
    }
    if (name == ":path") {
        requestPath = value;
    } else if (name == ":method") {
        isPost = value == "POST";
    } else if (name == "content-type") {
        isGRPC = isGRPCContent(value);
    } else if (name == "grpc-timeout") {
        requestTimeout = parseTimeout(value);
        if (!requestTimeout) {
            malformed = Status{StatusCode::internal, "grpc-timeout is not a number of at most 8 digits and a unit of H, M, S, m, u, n", {}};
        }
    } else if (name == "grpc-encoding") {
        if (value == "gzip") {
            messageEncoding = Encoding::gzip;
        } else if (value == "deflate") {
            messageEncoding = Encoding::deflate;
        } else if (value != "identity") {
            malformed = Status{StatusCode::unimplemented, "grpc-encoding is not known: identity, deflate and gzip are", {}};
        }
    } else if (std::find(keptNames.begin(), keptNames.end(), name) != keptNames.end() && metadata(name).empty()) {
        kept.emplace_back(*std::find(keptNames.begin(), keptNames.end(), name), value);
    }
}

int RequestHead::httpStatus() const {
    constexpr int fine = 200, methodNotAllowed = 405, unsupportedMediaType = 415;
    // Where fields were left out for their size, the type may be among them.
    if (bytes > maximumBytes) {
        return fine;
    }
    return !isPost ? methodNotAllowed : !isGRPC ? unsupportedMediaType : fine;
}

std::optional<Status> RequestHead::refusal() const {
    if (bytes > maximumBytes) {
        return Status{
            StatusCode::resourceExhausted,
            "the metadata has " + std::to_string(bytes) + " bytes, the limit is " + std::to_string(maximumBytes), {}};
    }
    return malformed;
}

std::string_view RequestHead::metadata(std::string_view name) const {
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const auto& field) { return field.first == name; });
    return found == kept.end() ? std::string_view() : found->second;
}

}  // namespace kith
