// KithCall: one call, between the connection it came by and the callbacks that answer it.
#pragma once
#include <grpcpp/support/slice.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "CGRPCShim.h"
#include "Deadlines.hpp"
#include "MessageReader.hpp"
#include "RequestHead.hpp"
#include "Status.hpp"
#include "Work.hpp"

namespace kith {

class Connection;
class Host;

/// What a handler asks of the connection.
struct Asked {
    grpc::Slice message;
    bool write = false, read = false, expire = false;
    std::optional<Status> end;
};

/// What is on its way to the client.
struct Sending {
    static constexpr size_t prefixBytes = 5;

    grpc::Slice message;
    /// Bytes of the prefix and the message that went.
    size_t sent = 0;
    bool isWriting = false, isHeadSent = false;
    /// How the call ends, once the message went.
    std::optional<Status> end;

    size_t left() const { return isWriting ? prefixBytes + message.size() - sent : 0; }
    void begin(grpc::Slice next);
    /// Lets go of the message.
    void drop();
    /// What stands before the message: not compressed, so many bytes.
    std::array<uint8_t, prefixBytes> prefix() const;
};

}  // namespace kith

/// Three sides touch it. `wire` belongs to the turn of the connection (Connection::serve). `callbacks` run one after another: what
/// happens is noted as an event, and whoever notes the first has a worker run them. What handlers ask, from any thread, waits in
/// `asked` until the connection's next turn.
struct KithCall final : kith::Work, std::enable_shared_from_this<KithCall> {
    enum Event : uint32_t {
        started = 1,
        received = 2,
        receivedEnd = 4,
        written = 8,
        writeFailed = 16,
        wasCancelled = 32,
        done = 64,
    };

    struct Wire {
        explicit Wire(int32_t stream, size_t maximumMessageBytes) : stream(stream), incoming(maximumMessageBytes) {}

        const int32_t stream;
        kith::RequestHead head;
        kith::MessageReader incoming;
        kith::Sending outgoing;
        /// Bytes that came and that the client does not know to be taken.
        size_t unconsumed = 0;
        /// Among the open calls of the session.
        size_t position = 0;
        /// The handler was told of the call, waits for a message, has ended the call.
        bool isStarted = false, isReading = false, isAnswered = false;
        /// The client has sent all; the transport has ended the call; the stream is gone.
        bool remoteEnded = false, isFailed = false, isClosed = false;
    };

    KithCall(kith::Host& host, std::shared_ptr<kith::Connection> connection, int32_t stream);
    KithCall(const KithCall&) = delete;
    KithCall& operator=(const KithCall&) = delete;

    kith::Host& host;
    const std::shared_ptr<kith::Connection> connection;
    Wire wire;

    /// By its number, as the C API has it, and who answers it.
    int32_t method = -1;
    const KithServerCallbacks* callbacks = nullptr;
    bool isClientStreaming = false;
    /// The request, or the message read last.
    grpc::Slice request;
    std::atomic<bool> isCancelled{false};
    kith::Deadlines::Entry deadline;

    /// The call has its request: keeps it until it is done, and returns the work of calling `started`.
    std::shared_ptr<kith::Work> start();
    /// Notes an event. Returns the work of telling it where nobody is at it.
    [[nodiscard]] std::shared_ptr<kith::Work> note(uint32_t event);
    /// Tells the events there are.
    void work() override;

    // What handlers ask, from any thread.
    void write(grpc::Slice message);
    void read();
    /// Ends the call: with a message before, where it is unary and has an answer.
    void finish(std::optional<grpc::Slice> message, kith::Status status);
    /// Its deadline has passed.
    void expire();
    /// What was asked since the last time.
    kith::Asked takeAsked();

private:
    std::mutex mutex;
    uint32_t events = 0;
    bool isTelling = false, isAsking = false;
    kith::Asked asked;
    void* tag = nullptr;
    /// Keeps the call until it is done.
    std::shared_ptr<KithCall> self;

    bool tell(uint32_t some);
    template <class Change>
    void ask(Change change);
};
