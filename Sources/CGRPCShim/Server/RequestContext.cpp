// What a call says about its sender, as the message that is kept with commits.
#include <algorithm>
#include <string_view>

#include "Call.hpp"
#include "Messages/WireWriter.hpp"
#include "Methods.hpp"
#include "kith/v1/events.pb.h"

namespace {

/// Bytes of one text of a context: longer ones are left out, so that no client makes commits large.
constexpr size_t maximumText = 256;

/// The value of a metadata key; empty where it is missing, too long, or not printable ASCII.
std::string_view metadata(const KithCall& call, std::string_view key) {
    const std::string_view value = call.wire.head.metadata(key);
    const bool isPrintable = std::all_of(value.begin(), value.end(), [](char letter) { return letter >= 0x20 && letter < 0x7F; });
    return value.size() <= maximumText && isPrintable ? value : std::string_view();
}

bool isHex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
    });
}

bool isZero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

/// W3C Trace Context, level 1: version-traceid-parentid-flags. Later versions may append more, which is not for us.
bool isTraceparent(std::string_view text) {
    return text.size() == 55 && text[2] == '-' && text[35] == '-' && text[52] == '-' && isHex(text.substr(0, 2)) &&
        isHex(text.substr(3, 32)) && isHex(text.substr(36, 16)) && isHex(text.substr(53)) && text.substr(0, 2) != "ff" &&
        !isZero(text.substr(3, 32)) && !isZero(text.substr(36, 16));
}

struct Program {
    std::string_view name, version;
};

/// "name/version rest" as user agents are written.
Program program(std::string_view text) {
    text = text.substr(0, text.find(' '));
    const size_t slash = text.find('/');
    return {text.substr(0, slash), slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1)};
}

KithBytes view(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

KithBuffer* kith_call_context(KithCall* call) {
    using Message = kith::v1::RequestContext;
    const std::string_view actor = metadata(*call, "kith-actor");
    const std::string_view named = metadata(*call, "kith-client");
    const Program client = program(named.empty() ? metadata(*call, "user-agent") : named);
    const std::string_view trace = metadata(*call, "traceparent");
    const std::string_view method = std::string_view(kith::methods()[call->method].name).substr(1);
    const KithBytes peer = kith_call_peer(call);
    return kith::encode([&](auto fields) {
        if (!actor.empty()) {
            fields.message(Message::kActorFieldNumber, [&](auto fields) {
                fields.bytes(kith::v1::Actor::kIdFieldNumber, view(actor));
                fields.number(kith::v1::Actor::kProofFieldNumber, kith::v1::Actor::PROOF_CLAIMED);
            });
        }
        fields.message(Message::kClientFieldNumber, [&](auto fields) {
            fields.bytes(kith::v1::Client::kNameFieldNumber, view(client.name));
            fields.bytes(kith::v1::Client::kVersionFieldNumber, view(client.version));
            fields.bytes(kith::v1::Client::kAddressFieldNumber, peer);
        });
        if (isTraceparent(trace)) {
            fields.bytes(Message::kTraceparentFieldNumber, view(trace));
        }
        fields.bytes(Message::kMethodFieldNumber, view(method));
    });
}
