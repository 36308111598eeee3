#include "RawService.hpp"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include "Methods.hpp"
#include "Reactors.hpp"

namespace kith {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::internal::RpcMethod;

namespace {

RpcMethod::RpcType rpcType(const Method& method) {
    if (method.clientStreaming) {
        return RpcMethod::BIDI_STREAMING;
    }
    return method.serverStreaming ? RpcMethod::SERVER_STREAMING : RpcMethod::NORMAL_RPC;
}

/// Tells the callbacks of a new call. gRPC catches what this throws and answers that the call could not be made.
template <class Call>
Call* start(Call* call, int32_t method) {
    call->start(method);
    return call;
}

grpc::internal::MethodHandler* makeHandler(RpcMethod::RpcType type, int32_t method, CallHost& host) {
    switch (type) {
        case RpcMethod::NORMAL_RPC:
            return new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
                [=, &host](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* response) {
                    return start(new UnaryCall(host, *context, *request, *response), method);
                });
        case RpcMethod::SERVER_STREAMING:
            return new grpc::internal::CallbackServerStreamingHandler<ByteBuffer, ByteBuffer>(
                [=, &host](CallbackServerContext* context, const ByteBuffer* request) {
                    return start(new ServerStreamingCall(host, *context, *request), method);
                });
        case RpcMethod::CLIENT_STREAMING:
        case RpcMethod::BIDI_STREAMING:
            return new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
                [=, &host](CallbackServerContext* context) {
                    return start(new BidirectionalCall(host, *context), method);
                });
    }
    return nullptr;
}

}  // namespace

RawService::RawService(const google::protobuf::ServiceDescriptor& service, CallHost& host) {
    for (int32_t method = 0; method < kith_method_count(); ++method) {
        if (methods()[method].service == &service) {
            add(method, host);
        }
    }
}

void RawService::add(int32_t method, CallHost& host) {
    const Method& description = methods()[method];
    const RpcMethod::RpcType type = rpcType(description);
    AddMethod(new grpc::internal::RpcServiceMethod(description.name.c_str(), type, nullptr));
    MarkMethodRawCallback(added++, makeHandler(type, method, host));
}

}  // namespace kith
