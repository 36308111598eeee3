// What unary calls and streams of the client share.
#pragma once
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>

#include "CGRPCShim.h"

struct KithChannel {
    std::shared_ptr<grpc::Channel> channel;
};

namespace kith {

/// No deadline where the timeout is 0 or less.
void setTimeout(grpc::ClientContext& context, int64_t milliseconds);

KithCallStatus callStatus(const grpc::Status& status);

/// A message to send, copied.
grpc::ByteBuffer copiedMessage(KithBytes bytes);

}  // namespace kith
