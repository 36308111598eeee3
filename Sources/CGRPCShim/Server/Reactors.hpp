// The three kinds of calls over gRPC's callback reactors. Each deletes itself when gRPC is done with it.
#pragma once
#include <grpcpp/support/server_callback.h>

#include <mutex>

#include "Call.hpp"
#include "Messages/Buffer.hpp"

namespace kith {

/// One request, one answer.
class UnaryCall final : public KithCall, public grpc::ServerUnaryReactor {
public:
    UnaryCall(CallHost& host, grpc::CallbackServerContext& context, const grpc::ByteBuffer& message,
              grpc::ByteBuffer& response)
        : KithCall(host, context), response(response) {
        request = contiguous(message);
    }


    void finish(grpc::Status status) override { Finish(std::move(status)); }

    void reply(KithBuffer* buffer) override {
        auto message = takeByteBuffer(buffer);
        response.Swap(&message);
        Finish(grpc::Status());
    }

    void write(KithBuffer* message) override { kith_buffer_free(message); }
    void read() override {}

private:
    grpc::ByteBuffer& response;

    /// gRPC would pass OnDone and OnCancel through a thread of its own. Ours are short: they run where they arise.
    bool InternalInlineable() override { return true; }

    void OnCancel() override { callbacks.cancelled(callbacks.context, this, tag); }

    void OnDone() override {
        callbacks.done(callbacks.context, tag);
        delete this;
    }
};

/// One request, a stream of answers.
class ServerStreamingCall final : public KithCall, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
public:
    ServerStreamingCall(CallHost& host, grpc::CallbackServerContext& context,
                        const grpc::ByteBuffer& message)
        : KithCall(host, context) {
        request = contiguous(message);
    }


    void finish(grpc::Status status) override { Finish(std::move(status)); }
    void reply(KithBuffer* response) override { kith_buffer_free(response); }

    void write(KithBuffer* message) override {
        outgoing = takeByteBuffer(message);
        StartWrite(&outgoing);
    }

    void read() override {}

private:
    grpc::ByteBuffer outgoing;

    void OnWriteDone(bool ok) override { callbacks.written(callbacks.context, this, tag, ok); }
    void OnCancel() override { callbacks.cancelled(callbacks.context, this, tag); }

    void OnDone() override {
        callbacks.done(callbacks.context, tag);
        delete this;
    }
};

/// Streams both ways. Also fits a stream of requests with one answer, which looks the same on the wire.
class BidirectionalCall final : public KithCall, public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
public:
    using KithCall::KithCall;


    void finish(grpc::Status status) override { Finish(std::move(status)); }
    void reply(KithBuffer* response) override { kith_buffer_free(response); }

    void write(KithBuffer* message) override {
        outgoing = takeByteBuffer(message);
        StartWrite(&outgoing);
    }

    void read() override {
        request = grpc::Slice();
        incoming.Clear();
        StartRead(&incoming);
    }

private:
    grpc::ByteBuffer incoming, outgoing;
    /// gRPC may end a read and a write at once; the C API promises one callback after another.
    std::mutex callbackOrder;

    void OnReadDone(bool ok) override {
        const std::lock_guard lock(callbackOrder);
        if (ok) {
            request = contiguous(incoming);
        }
        callbacks.received(callbacks.context, this, tag, ok);
    }

    void OnWriteDone(bool ok) override {
        const std::lock_guard lock(callbackOrder);
        callbacks.written(callbacks.context, this, tag, ok);
    }

    void OnCancel() override { callbacks.cancelled(callbacks.context, this, tag); }

    void OnDone() override {
        callbacks.done(callbacks.context, tag);
        delete this;
    }
};

}  // namespace kith
