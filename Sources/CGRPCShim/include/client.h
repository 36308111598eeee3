// A blocking gRPC client for tools and tests: bytes in, bytes out.
#pragma once
#include "messages.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct KithChannel KithChannel;
KithChannel *_Nullable kith_channel_open(const char *_Nonnull address, size_t max_message_bytes);
/// Sent with every call from now on, such as `kith-actor`; before other threads use the channel.
void kith_channel_add_metadata(KithChannel *_Nonnull channel, const char *_Nonnull name, const char *_Nonnull value);
void kith_channel_free(KithChannel *_Nullable channel);

/// How a call ended: code 0 is OK. `message` and `details` (a serialised google.rpc.Status) are owned and may be NULL.
typedef struct KithCallStatus {
    int32_t code;
    KithBuffer *_Nullable message;
    KithBuffer *_Nullable details;
} KithCallStatus;

/// One unary call; blocks. `timeout_milliseconds` <= 0: no deadline. Takes nothing; the answer is owned by the caller.
KithCallStatus kith_channel_call(KithChannel *_Nonnull channel, const char *_Nonnull method, KithBytes request,
                                 int64_t timeout_milliseconds, KithBuffer *_Nullable *_Nonnull response);

/// A stream of any kind. Reading and writing may happen on two threads, each one at a time.
typedef struct KithClientStream KithClientStream;
KithClientStream *_Nullable kith_stream_open(KithChannel *_Nonnull channel, const char *_Nonnull method,
                                             int64_t timeout_milliseconds);
/// False when the stream is broken.
bool kith_stream_write(KithClientStream *_Nonnull stream, KithBytes message);
void kith_stream_writes_done(KithClientStream *_Nonnull stream);
/// The next message, owned by the caller; NULL at the end.
KithBuffer *_Nullable kith_stream_read(KithClientStream *_Nonnull stream);
void kith_stream_cancel(KithClientStream *_Nonnull stream);
/// Waits for the end. After it only kith_stream_free.
KithCallStatus kith_stream_finish(KithClientStream *_Nonnull stream);
void kith_stream_free(KithClientStream *_Nullable stream);

/// A load generator for benchmarks: keeps `in_flight` unary calls going on `connections` connections over `requests` in turn
/// (closed loop), or starts `rate` calls a second (open loop; latency counts from the time due) for `seconds`; where that is 0,
/// until each request was sent once. Calls that a broken connection took count as errors, and one where none could be made.
typedef struct KithLoadResult {
    uint64_t calls, errors;
    double seconds, client_cpu_seconds;
    double p50_us, p90_us, p99_us, p999_us, max_us;
} KithLoadResult;
KithLoadResult kith_load_run(const char *_Nonnull address, const char *_Nonnull method, const KithBytes *_Nonnull requests,
                             size_t request_count, int32_t connections, int32_t in_flight, double rate, double seconds);

#ifdef __cplusplus
}
#endif
