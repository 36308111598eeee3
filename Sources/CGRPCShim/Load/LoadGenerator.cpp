// A load generator on gRPC's C core: one thread, no object but the call itself made for a call.
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
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

    void start(grpc_call* newCall, grpc_slice message, uint64_t startTime) {
        call = newCall;
        // Sending takes the slices out of a buffer: each call needs one of its own.
        request = grpc_raw_byte_buffer_create(&message, 1);
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
        grpc_byte_buffer_destroy(request);
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
    grpc_byte_buffer* request = nullptr;
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
          duration(seconds > 0 ? static_cast<uint64_t>(seconds * 1e9) : 0),
          callLimit(seconds > 0 ? UINT64_MAX : count) {
        for (size_t index = 0; index < count; ++index) {
            messages.push_back(
                grpc_slice_from_copied_buffer(reinterpret_cast<const char*>(requests[index].data), requests[index].size));
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
        for (const grpc_slice message : messages) {
            grpc_slice_unref(message);
        }
    }

    void go() {
        const uint64_t processorTime = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        begun = nanoseconds(CLOCK_MONOTONIC);
        end = duration > 0 ? begun + duration : UINT64_MAX;
        if (interval == 0) {
            runClosedLoop();
        } else {
            runOpenLoop();
        }
        result.seconds = static_cast<double>(nanoseconds(CLOCK_MONOTONIC) - begun) / 1e9;
        result.client_cpu_seconds = static_cast<double>(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - processorTime) / 1e9;
    }

    KithLoadResult result{};
    LatencyHistogram latencies;

private:
    Connections& connections;
    std::vector<Slot> slots;
    std::vector<grpc_slice> messages;
    grpc_completion_queue* const queue = grpc_completion_queue_create_for_next(nullptr);
    const double interval;
    const uint64_t duration, callLimit;
    uint64_t begun = 0, end = 0, started = 0;
    std::vector<Slot*> idle;

    bool hasNext(uint64_t time) const { return time < end && started < callLimit; }
    bool isOver() const { return idle.size() == slots.size(); }

    void startNext(uint64_t due) {
        idle.back()->start(connections.makeCall(started, queue), messages[started % messages.size()], due);
        idle.pop_back();
        ++started;
    }

    /// Only an answer makes room for a call.
    void runClosedLoop() {
        for (;;) {
            for (uint64_t now; !idle.empty() && hasNext(now = nanoseconds(CLOCK_MONOTONIC));) {
                startNext(now);
            }
            if (isOver()) {
                return;
            }
            finishNext(gpr_inf_future(GPR_CLOCK_MONOTONIC));
        }
    }

    /// The clock starts calls. Between calls that follow each other closely it sleeps instead of waiting for answers, since gRPC's waits
    /// are rounded up to whole milliseconds; not for long, as answers come late by as much.
    void runOpenLoop() {
        constexpr uint64_t longestSleep = 50'000, shortestWait = 2'000'000;
        prctl(PR_SET_TIMERSLACK, 1);
        for (;;) {
            const uint64_t now = nanoseconds(CLOCK_MONOTONIC);
            uint64_t due = nextDue();
            for (; due <= now && !idle.empty() && hasNext(now); due = nextDue()) {
                startNext(due);
            }
            if (!hasNext(std::max(due, now))) {
                if (isOver()) {
                    break;
                }
                finishNext(gpr_inf_future(GPR_CLOCK_MONOTONIC));
            } else if (idle.empty()) {
                finishNext(gpr_inf_future(GPR_CLOCK_MONOTONIC));
            } else if (due > now + shortestWait) {
                finishNext(gpr_time_add(
                    gpr_now(GPR_CLOCK_MONOTONIC),
                    gpr_time_from_nanos(static_cast<int64_t>(due - now - shortestWait / 2), GPR_TIMESPAN)));
            } else if (!finishNext(gpr_inf_past(GPR_CLOCK_MONOTONIC)) && due > now) {
                const timespec pause = {0, static_cast<long>(std::min(due - now, longestSleep))};
                clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
            }
        }
        prctl(PR_SET_TIMERSLACK, 0);
    }

    uint64_t nextDue() const { return begun + static_cast<uint64_t>(interval * static_cast<double>(started)); }

    /// False when no answer came in time.
    bool finishNext(gpr_timespec deadline) {
        const grpc_event event = grpc_completion_queue_next(queue, deadline, nullptr);
        if (event.type != GRPC_OP_COMPLETE) {
            return false;
        }
        auto* const slot = static_cast<Slot*>(event.tag);
        ++result.calls;
        if (slot->end()) {
            latencies.add(nanoseconds(CLOCK_MONOTONIC) - slot->begun);
        } else {
            ++result.errors;
        }
        idle.push_back(slot);
        return true;
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
        kith::Run run(all, requests, request_count, in_flight, rate, seconds);
        run.go();
        result = run.result;
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
