#include "Call.hpp"

#include <grpc/support/time.h>

#include <algorithm>
#include <cstdlib>

#include "Messages/Buffer.hpp"

namespace {

/// "ipv6:%5B::1%5D:5" to "[::1]:5".
std::string readablePeer(const std::string& uri) {
    const auto scheme = uri.find(':');
    const std::string address = scheme == std::string::npos ? uri : uri.substr(scheme + 1);
    std::string readable;
    for (size_t index = 0; index < address.size(); ++index) {
        if (address[index] == '%' && index + 2 < address.size()) {
            readable += static_cast<char>(std::strtol(address.substr(index + 1, 2).c_str(), nullptr, 16));
            index += 2;
        } else {
            readable += address[index];
        }
    }
    return readable;
}

}  // namespace

KithBytes kith_call_request(KithCall* call) {
    return kith::bytes(call->request);
}

int64_t kith_call_remaining_milliseconds(KithCall* call) {
    const gpr_timespec deadline = call->context.raw_deadline();
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
        return INT64_MAX;
    }
    const gpr_timespec remaining = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    return std::max<int64_t>(0, remaining.tv_sec * 1000 + remaining.tv_nsec / 1'000'000);
}

bool kith_call_is_cancelled(KithCall* call) {
    return call->context.IsCancelled();
}

KithBytes kith_call_peer(KithCall* call) {
    std::call_once(call->peerOnce, [call] { call->peer = readablePeer(call->context.peer()); });
    return kith::bytes(std::string_view(call->peer));
}

void kith_call_reply(KithCall* call, KithBuffer* response) {
    call->reply(response);
}

void kith_call_finish(KithCall* call, int32_t code, KithBytes message, KithBytes status_details) {
    call->finish(
        code == 0 ? grpc::Status()
                  : grpc::Status(
                        static_cast<grpc::StatusCode>(code), std::string(kith::text(message)),
                        std::string(kith::text(status_details))));
}

void kith_call_write(KithCall* call, KithBuffer* message) {
    call->write(message);
}

void kith_call_read(KithCall* call) {
    call->read();
}
