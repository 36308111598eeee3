#include "Channel.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "Messages/Buffer.hpp"

namespace kith {

void prepare(grpc::ClientContext& context, const KithChannel& channel, int64_t timeout_milliseconds) {
    for (const auto& [name, value] : channel.metadata) {
        context.AddMetadata(name, value);
    }
    if (timeout_milliseconds > 0) {
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_milliseconds));
    }
}

KithCallStatus callStatus(const grpc::Status& status) {
    const auto buffer = [](const std::string& text) { return text.empty() ? nullptr : makeBuffer(text); };
    return {status.error_code(), buffer(status.error_message()), buffer(status.error_details())};
}

grpc::ByteBuffer copiedMessage(KithBytes bytes) {
    const grpc::Slice slice(bytes.data, bytes.size);
    return grpc::ByteBuffer(&slice, 1);
}

}  // namespace kith

KithChannel* kith_channel_open(const char* address, size_t max_message_bytes) {
    try {
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(static_cast<int>(max_message_bytes));
        arguments.SetMaxSendMessageSize(static_cast<int>(max_message_bytes));
        // A connection of its own, not one shared with other channels to the address.
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        return new KithChannel{grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments), {}};
    } catch (const std::exception&) {
        return nullptr;  // only memory can end here
    }
}

void kith_channel_add_metadata(KithChannel* channel, const char* name, const char* value) {
    channel->metadata.emplace_back(name, value);
}

void kith_channel_free(KithChannel* channel) {
    delete channel;
}

KithCallStatus kith_channel_call(KithChannel* channel, const char* method, KithBytes request, int64_t timeout_milliseconds,
                                 KithBuffer** response) {
    using Unary = grpc::internal::BlockingUnaryCallImpl<grpc::ByteBuffer, grpc::ByteBuffer>;
    *response = nullptr;
    grpc::ClientContext context;
    kith::prepare(context, *channel, timeout_milliseconds);
    const grpc::internal::RpcMethod description(method, grpc::internal::RpcMethod::NORMAL_RPC);
    const grpc::ByteBuffer message = kith::copiedMessage(request);
    grpc::ByteBuffer answer;
    const grpc::Status status = Unary(channel->channel.get(), description, &context, message, &answer).status();
    if (status.ok()) {
        *response = kith::makeBuffer(kith::contiguous(answer).c_slice());
    }
    return kith::callStatus(status);
}
