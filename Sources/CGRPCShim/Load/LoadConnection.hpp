// One connection of the load generator.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "Sockets/Descriptor.hpp"

namespace kith {

/// A unary call under way; used again for the next.
struct LoadCall {
    /// What is still to be sent of the message and its frame.
    std::string_view unsent;
    /// When it began, or was due.
    uint64_t begun = 0;
    /// The server answered with status 0.
    bool isOK = false;
};

/// HTTP/2, by nghttp2, over a socket that does not block. Throws std::exception once it is broken.
class LoadConnection {
public:
    /// Calls that end are added to `ended`. `method` and `ended` are borrowed.
    LoadConnection(const std::string& address, const char* method, std::vector<LoadCall*>& ended);
    LoadConnection(const LoadConnection&) = delete;
    ~LoadConnection();

    const Descriptor socket;

    /// The bytes wait until the next `send`.
    void start(LoadCall& call);
    /// As much as the socket takes.
    void send();
    /// Whether bytes wait for the socket.
    bool isFull() const { return !output.empty(); }
    /// Reads what has come.
    void receive();

private:
    struct Callbacks;
    nghttp2_session* session = nullptr;
    std::vector<nghttp2_nv> head;
    const std::string authority;
    std::string output;
    size_t sent = 0;
    std::vector<LoadCall*>& ended;

    void fill();
};

}  // namespace kith
