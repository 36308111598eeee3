// What unary calls and streams of the client share.
#pragma once
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CGRPCShim.h"

struct KithChannel {
    std::shared_ptr<grpc::Channel> channel;
    std::vector<std::pair<std::string, std::string>> metadata;
};

namespace kith {

/// The channel's metadata; no deadline where the timeout is 0 or less.
void prepare(grpc::ClientContext& context, const KithChannel& channel, int64_t timeout_milliseconds);

KithCallStatus callStatus(const grpc::Status& status);

/// A message to send, copied.
grpc::ByteBuffer copiedMessage(KithBytes bytes);

}  // namespace kith
