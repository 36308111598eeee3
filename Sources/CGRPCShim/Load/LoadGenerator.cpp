// A load generator on gRPC's C core: one thread, no object but the call itself made for a call.
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <time.h>

#include <exception>
#include <vector>

#include "CGRPCShim.h"
#include "LatencyHistogram.hpp"

namespace kith {
namespace {

uint64_t nanoseconds(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// One call under way, used again for the next.
class Slot {
public:
    Slot() {
        grpc_metadata_array_init(&initialMetadata);
        grpc_metadata_array_init(&trailingMetadata);
    }

    void start(grpc_call* newCall, grpc_byte_buffer* request, uint64_t startTime) {
        call = newCall;
        begun = startTime;
        response = nullptr;
        grpc_op operations[6] = {};
        operations[0].op = GRPC_OP_SEND_INITIAL_METADATA;
        operations[1].op = GRPC_OP_SEND_MESSAGE;
        operations[1].data.send_message.send_message = request;
        operations[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
        operations[3].op = GRPC_OP_RECV_INITIAL_METADATA;
        operations[3].data.recv_initial_metadata.recv_initial_metadata = &initialMetadata;
        operations[4].op = GRPC_OP_RECV_MESSAGE;
        operations[4].data.recv_message.recv_message = &response;
        operations[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
        operations[5].data.recv_status_on_client.trailing_metadata = &trailingMetadata;
        operations[5].data.recv_status_on_client.status = &status;
        operations[5].data.recv_status_on_client.status_details = &details;
        grpc_call_start_batch(call, operations, 6, this, nullptr);
    }

    /// Whether the call was answered.
    bool end() {
        if (response != nullptr) {
            grpc_byte_buffer_destroy(response);
        }
        grpc_slice_unref(details);
        grpc_metadata_array_destroy(&initialMetadata);
        grpc_metadata_array_destroy(&trailingMetadata);
        grpc_metadata_array_init(&initialMetadata);
        grpc_metadata_array_init(&trailingMetadata);
        grpc_call_unref(call);
        return status == GRPC_STATUS_OK;
    }

    uint64_t begun = 0;

private:
    grpc_call* call = nullptr;
    grpc_byte_buffer* response = nullptr;
    grpc_metadata_array initialMetadata, trailingMetadata;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details = grpc_empty_slice();
};

/// Its own connections to one method of one server.
class Connections {
public:
    Connections(const char* address, const char* method, int32_t count) {
        grpc_arg arguments[3] = {};
        const char* const keys[] = {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, GRPC_ARG_ENABLE_CHANNELZ, GRPC_ARG_MINIMAL_STACK};
        const int values[] = {1, 0, 1};
        for (size_t index = 0; index < 3; ++index) {
            arguments[index].type = GRPC_ARG_INTEGER;
            arguments[index].key = const_cast<char*>(keys[index]);
            arguments[index].value.integer = values[index];
        }
        const grpc_channel_args all = {3, arguments};
        grpc_channel_credentials* const credentials = grpc_insecure_credentials_create();
        for (int32_t index = 0; index < count; ++index) {
            grpc_channel* const channel = grpc_channel_create(address, credentials, &all);
            channels.push_back({channel, grpc_channel_register_call(channel, method, nullptr, nullptr)});
        }
        grpc_channel_credentials_release(credentials);
    }

    ~Connections() {
        for (const Channel& each : channels) {
            grpc_channel_destroy(each.channel);
        }
    }

    grpc_call* makeCall(uint64_t number, grpc_completion_queue* queue) {
        const Channel& next = channels[number % channels.size()];
        return grpc_channel_create_registered_call(
            next.channel, nullptr, GRPC_PROPAGATE_DEFAULTS, queue, next.method, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    }

private:
    struct Channel {
        grpc_channel* channel;
        void* method;
    };
    std::vector<Channel> channels;
};

/// One run, from the first call to the last answer.
class Run {
public:
    Run(Connections& connections, const KithBytes* requests, size_t count, int32_t inFlight, double rate, double seconds)
        : connections(connections),
          slots(static_cast<size_t>(inFlight)),
          interval(rate > 0 ? 1e9 / rate : 0),
          begun(nanoseconds(CLOCK_MONOTONIC)),
          end(begun + static_cast<uint64_t>(seconds * 1e9)) {
        for (size_t index = 0; index < count; ++index) {
            grpc_slice slice =
                grpc_slice_from_copied_buffer(reinterpret_cast<const char*>(requests[index].data), requests[index].size);
            messages.push_back(grpc_raw_byte_buffer_create(&slice, 1));
            grpc_slice_unref(slice);
        }
        for (Slot& slot : slots) {
            idle.push_back(&slot);
        }
    }

    ~Run() {
        grpc_completion_queue_shutdown(queue);
        while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr).type != GRPC_QUEUE_SHUTDOWN) {
        }
        grpc_completion_queue_destroy(queue);
        for (grpc_byte_buffer* const message : messages) {
            grpc_byte_buffer_destroy(message);
        }
    }

    void go() {
        while (startDue() || idle.size() < slots.size()) {
            // Closed loop: only an answer makes room for a call. Open loop: the clock is asked all the time, since gRPC's waits are
            // rounded up to whole milliseconds, which would be added to the latencies.
            const gpr_clock_type clock = GPR_CLOCK_MONOTONIC;
            const gpr_timespec wait = interval == 0 || idle.empty() ? gpr_inf_future(clock) : gpr_inf_past(clock);
            const grpc_event event = grpc_completion_queue_next(queue, wait, nullptr);
            if (event.type == GRPC_OP_COMPLETE) {
                finish(*static_cast<Slot*>(event.tag));
            }
        }
        result.seconds = static_cast<double>(nanoseconds(CLOCK_MONOTONIC) - begun) / 1e9;
    }

    KithLoadResult result{};
    LatencyHistogram latencies;

private:
    Connections& connections;
    std::vector<Slot> slots;
    std::vector<Slot*> idle;
    std::vector<grpc_byte_buffer*> messages;
    grpc_completion_queue* const queue = grpc_completion_queue_create_for_next(nullptr);
    const double interval;
    const uint64_t begun, end;
    uint64_t started = 0;

    /// Starts what is due while there is room. False when the time is over.
    bool startDue() {
        for (;;) {
            const uint64_t now = nanoseconds(CLOCK_MONOTONIC);
            const uint64_t due = interval == 0 ? now : begun + static_cast<uint64_t>(interval * static_cast<double>(started));
            if (now >= end || due >= end) {
                return false;
            }
            if (idle.empty() || due > now) {
                return true;
            }
            idle.back()->start(connections.makeCall(started, queue), messages[started % messages.size()], due);
            idle.pop_back();
            ++started;
        }
    }

    void finish(Slot& slot) {
        ++result.calls;
        if (slot.end()) {
            latencies.add(nanoseconds(CLOCK_MONOTONIC) - slot.begun);
        } else {
            ++result.errors;
        }
        idle.push_back(&slot);
    }
};

}  // namespace
}  // namespace kith

KithLoadResult kith_load_run(const char* address, const char* method, const KithBytes* requests, size_t request_count,
                             int32_t connections, int32_t in_flight, double rate, double seconds) {
    if (request_count == 0 || connections <= 0 || in_flight <= 0) {
        return {};
    }
    grpc_init();
    KithLoadResult result{};
    try {
        kith::Connections all(address, method, connections);
        const uint64_t processorTime = kith::nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        kith::Run run(all, requests, request_count, in_flight, rate, seconds);
        run.go();
        result = run.result;
        result.client_cpu_seconds = static_cast<double>(kith::nanoseconds(CLOCK_THREAD_CPUTIME_ID) - processorTime) / 1e9;
        result.p50_us = run.latencies.microseconds(0.5);
        result.p90_us = run.latencies.microseconds(0.9);
        result.p99_us = run.latencies.microseconds(0.99);
        result.p999_us = run.latencies.microseconds(0.999);
        result.max_us = run.latencies.maxMicroseconds();
    } catch (const std::exception&) {
        // Only memory can end here: a run without calls says so.
    }
    grpc_shutdown();
    return result;
}
