// KithCall: one call as the C API sees it, whatever its kind.
#pragma once
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <mutex>
#include <string>

#include "CGRPCShim.h"

namespace kith {

/// What the calls of one server share.
struct CallHost {
    KithServerCallbacks callbacks;
    std::atomic<int64_t> openCalls{0};
};

}  // namespace kith

/// The kinds in Reactors.hpp implement it over gRPC's reactors. gRPC queues what is asked of a reactor before it is bound, so all
/// of this may be used from inside `started`.
struct KithCall {
    KithCall(kith::CallHost& host, grpc::CallbackServerContext& context)
        : host(host), callbacks(host.callbacks), context(context) {
        host.openCalls.fetch_add(1, std::memory_order_relaxed);
    }
    KithCall(const KithCall&) = delete;
    KithCall& operator=(const KithCall&) = delete;
    virtual ~KithCall() { host.openCalls.fetch_sub(1, std::memory_order_relaxed); }

    void start(int32_t number) {
        method = number;
        tag = callbacks.started(callbacks.context, this, number);
    }

    virtual void finish(grpc::Status status) = 0;
    /// Only unary calls.
    virtual void reply(KithBuffer* response) = 0;
    /// Only calls that stream answers.
    virtual void write(KithBuffer* message) = 0;
    /// Only calls that stream requests.
    virtual void read() = 0;

    kith::CallHost& host;
    const KithServerCallbacks& callbacks;
    grpc::CallbackServerContext& context;
    void* tag = nullptr;
    /// By its number, as the C API has it.
    int32_t method = 0;
    /// The request, or the message read last.
    grpc::Slice request;
    std::once_flag peerOnce;
    std::string peer;
};
