#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include <string>

#include "Channel.hpp"
#include "Messages/Buffer.hpp"

struct KithClientStream {
    using Stream = grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

    std::string method;
    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
    bool writesDone = false;
};

KithClientStream* kith_stream_open(KithChannel* channel, const char* method, int64_t timeout_milliseconds) {
    using Factory = grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>;
    try {
        auto stream = std::make_unique<KithClientStream>();
        stream->method = method;
        kith::prepare(stream->context, *channel, timeout_milliseconds);
        // Every kind of stream is this on the wire.
        const grpc::internal::RpcMethod description(stream->method.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING);
        stream->stream.reset(Factory::Create(channel->channel.get(), description, &stream->context));
        return stream.release();
    } catch (const std::exception&) {
        return nullptr;  // only memory can end here
    }
}

bool kith_stream_write(KithClientStream* stream, KithBytes message) {
    return stream->stream->Write(kith::copiedMessage(message), grpc::WriteOptions());
}

void kith_stream_writes_done(KithClientStream* stream) {
    if (!stream->writesDone) {
        stream->writesDone = true;
        stream->stream->WritesDone();
    }
}

KithBuffer* kith_stream_read(KithClientStream* stream) {
    grpc::ByteBuffer message;
    return stream->stream->Read(&message) ? kith::makeBuffer(kith::contiguous(message).c_slice()) : nullptr;
}

void kith_stream_cancel(KithClientStream* stream) {
    stream->context.TryCancel();
}

KithCallStatus kith_stream_finish(KithClientStream* stream) {
    // The status comes after the last message: those not read would keep it back for ever.
    for (grpc::ByteBuffer message; stream->stream->Read(&message);) {
    }
    return kith::callStatus(stream->stream->Finish());
}

void kith_stream_free(KithClientStream* stream) {
    delete stream;
}
