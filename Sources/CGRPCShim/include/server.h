// A gRPC server that knows bytes and method names. Services come from the compiled protos, so that reflection shows them.
//
// Threads: callbacks come on the server's own threads, one a core and at least two, several at once, but for one call one after
// another; `done` may also come on the thread that ends the call. Every function below may be called from any thread, also from
// inside a callback, but for kith_server_stop and kith_server_free, which wait for callbacks to return. A callback that computes or
// blocks keeps its thread, which also reads and writes the sockets: while all do, nothing else is answered.
#pragma once
#include "messages.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct KithServer KithServer;
/// One call, from `started` until `done`; then it is gone.
typedef struct KithCall KithCall;

typedef struct KithServerOptions {
    const char *_Nonnull address;           // host:port; port 0 takes a free one
    size_t max_message_bytes;               // larger messages end the call with RESOURCE_EXHAUSTED before they are read
    int32_t max_concurrent_streams;         // of one connection; 0: 4,096. Clients keep more back
    bool reflection;
} KithServerOptions;

typedef struct KithServerCallbacks {
    void *_Nullable context;
    /// A call came. Unary and server-streaming calls have their request (kith_call_request); others get `received` later.
    /// `method` is as listed by kith_method_name. What is returned is passed to later callbacks as `tag`.
    void *_Nullable (*_Nonnull started)(void *_Nullable context, KithCall *_Nonnull call, int32_t method);
    /// Client streams: after each kith_call_read. `ok` false: the client has no more to send, or is gone. The message is read by
    /// kith_call_request and is valid until the next kith_call_read.
    void (*_Nonnull received)(void *_Nullable context, KithCall *_Nonnull call, void *_Nullable tag, bool ok);
    /// After each kith_call_write. `ok` false: the stream is broken.
    void (*_Nonnull written)(void *_Nullable context, KithCall *_Nonnull call, void *_Nullable tag, bool ok);
    /// The client cancelled, its deadline passed, or its connection broke. kith_call_finish must still be called.
    void (*_Nonnull cancelled)(void *_Nullable context, KithCall *_Nonnull call, void *_Nullable tag);
    /// The last callback: release what `tag` holds.
    void (*_Nonnull done)(void *_Nullable context, void *_Nullable tag);
} KithServerCallbacks;

/// All methods of the kith.v1 services and of grpc.health.v1, in a fixed order.
int32_t kith_method_count(void);
const char *_Nonnull kith_method_name(int32_t method);      // "/kith.v1.PointService/Upsert"
const char *_Nonnull kith_method_request_type(int32_t method);
const char *_Nonnull kith_method_response_type(int32_t method);
bool kith_method_client_streaming(int32_t method);
bool kith_method_server_streaming(int32_t method);

/// Starts to listen. NULL when the address cannot be had: `error` says why.
KithServer *_Nullable kith_server_start(const KithServerOptions *_Nonnull options, KithServerCallbacks callbacks,
                                        KithBuffer *_Nullable *_Nonnull error);
int32_t kith_server_port(const KithServer *_Nonnull server);
/// Refuses new calls, waits up to the grace for open ones, then cancels them. Returns when all are done.
void kith_server_stop(KithServer *_Nonnull server, int64_t grace_milliseconds);
void kith_server_free(KithServer *_Nullable server);

/// The request or the message received last, contiguous, borrowed from the call.
KithBytes kith_call_request(KithCall *_Nonnull call);
/// Milliseconds until the client's deadline; INT64_MAX without one, 0 when it has passed.
int64_t kith_call_remaining_milliseconds(KithCall *_Nonnull call);
bool kith_call_is_cancelled(KithCall *_Nonnull call);
/// host:port of the client, borrowed until the call ends.
KithBytes kith_call_peer(KithCall *_Nonnull call);
/// Who calls, with what, and by which method: a serialised kith.v1.RequestContext, owned by the caller. NULL only when memory ends.
KithBuffer *_Nullable kith_call_context(KithCall *_Nonnull call);

/// Unary: answers and ends the call. Takes the buffer.
void kith_call_reply(KithCall *_Nonnull call, KithBuffer *_Nonnull response);
/// Ends the call with a status: code 0 for streams that are through; else `message` (UTF-8) and a serialised google.rpc.Status
/// (may be empty) for grpc-status-details-bin. To be called once, and not while a write is under way unless the call is
/// cancelled.
void kith_call_finish(KithCall *_Nonnull call, int32_t code, KithBytes message, KithBytes status_details);
/// Streams: sends one message; `written` follows. One at a time. Takes the buffer.
void kith_call_write(KithCall *_Nonnull call, KithBuffer *_Nonnull message);
/// Client streams: asks for the next message; `received` follows. One at a time.
void kith_call_read(KithCall *_Nonnull call);

#ifdef __cplusplus
}
#endif
