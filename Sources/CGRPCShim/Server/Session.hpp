// HTTP/2 by nghttp2: from frames to calls, and back.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "Call.hpp"

namespace kith {

class Connection;

/// The session of one connection. All that it does is done in the connection's turn; what handlers are to be told is added to the
/// connection's outcome.
class Session {
public:
    Session(Connection& connection, Host& host);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// What nghttp2 calls.
    struct Callbacks;

    /// False where the connection can't go on.
    bool receive(std::string_view bytes);
    /// Sends what there is, as far as the socket takes it. False where the connection is through.
    bool send();
    /// Does what the call's handler asked for.
    void answer(KithCall& call);

    void ping();
    /// Tells the client to make no more calls here.
    void goAway();
    /// Ends all calls that are open, whatever their handlers do.
    void failAll(const Status& status);
    /// Lets go of all streams: the connection is gone.
    void closeAll();

private:
    Connection& connection;
    Host& host;
    nghttp2_session* session = nullptr;
    /// The calls whose streams are open, in no order.
    std::vector<std::shared_ptr<KithCall>> open;
    /// Bytes for the socket, of which `sent` went.
    std::vector<uint8_t> output;
    size_t sent = 0;

    void begin(int32_t stream);
    void headReceived(KithCall& call);
    void dataReceived(KithCall& call, std::string_view bytes);
    void takeRequest(KithCall& call);
    void requestEnded(KithCall& call);
    void closed(KithCall& call);

    void refuse(KithCall& call, int httpStatus);
    void fail(KithCall& call, const Status& status);
    void cancel(KithCall& call);
    void deliver(KithCall& call);
    void consume(KithCall& call);
    void respond(KithCall& call);
    void note(KithCall& call, uint32_t events);

    ssize_t pull(KithCall& call, size_t room, uint32_t* flags);
    bool push(KithCall& call, const uint8_t* frameHead, size_t length);
    bool append(const uint8_t* bytes, size_t count);
    /// False where the socket is broken.
    bool flush();
};

}  // namespace kith
