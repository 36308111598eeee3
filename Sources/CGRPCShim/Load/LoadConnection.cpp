#include "LoadConnection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "Sockets/Address.hpp"

namespace kith {
namespace {

constexpr size_t readBytes = 64 << 10, outputBytes = 64 << 10;
/// Large enough that no answer waits for the client to say that it took another.
constexpr int32_t window = 1 << 30;

Descriptor connected(const std::string& address) {
    std::string reason;
    const Addresses addresses = resolve(address, 0, reason);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
        Descriptor socket(::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (socket >= 0 && connect(socket, each->ai_addr, each->ai_addrlen) == 0) {
            const int yes = 1;
            setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            return socket;
        }
        reason = std::generic_category().message(errno);
    }
    throw std::runtime_error("cannot connect to " + address + ": " + reason);
}

nghttp2_nv header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) { return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())); };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void check(ssize_t result) {
    if (result < 0) {
        throw std::runtime_error(nghttp2_strerror(static_cast<int>(result)));
    }
}

}  // namespace

struct LoadConnection::Callbacks {
    static int header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                      const uint8_t* value, size_t valueSize, uint8_t, void*) {
        auto* const call = static_cast<LoadCall*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
        const auto text = [](const uint8_t* bytes, size_t size) {
            return std::string_view(reinterpret_cast<const char*>(bytes), size);
        };
        if (call != nullptr && text(name, nameSize) == "grpc-status") {
            call->isOK = text(value, valueSize) == "0";
        }
        return 0;
    }

    static int streamClosed(nghttp2_session* session, int32_t stream, uint32_t error, void* context) {
        auto* const call = static_cast<LoadCall*>(nghttp2_session_get_stream_user_data(session, stream));
        call->isOK = call->isOK && error == NGHTTP2_NO_ERROR;
        // Room for every call was made before they began.
        static_cast<LoadConnection*>(context)->ended.push_back(call);
        return 0;
    }

    static ssize_t data(nghttp2_session*, int32_t, uint8_t* bytes, size_t size, uint32_t* flags, nghttp2_data_source* source,
                        void*) {
        std::string_view& unsent = static_cast<LoadCall*>(source->ptr)->unsent;
        const size_t count = std::min(size, unsent.size());
        memcpy(bytes, unsent.data(), count);
        unsent.remove_prefix(count);
        if (unsent.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(count);
    }
};

LoadConnection::LoadConnection(const std::string& address, const char* method, std::vector<LoadCall*>& ended)
    : socket(connected(address)), authority(address), ended(ended) {
    head = {header(":method", "POST"),      header(":scheme", "http"), header(":path", method),
            header(":authority", authority), header("te", "trailers"),  header("content-type", "application/grpc")};
    nghttp2_session_callbacks* made = nullptr;
    check(nghttp2_session_callbacks_new(&made));
    const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> callbacks(
        made, nghttp2_session_callbacks_del);
    nghttp2_session_callbacks_set_on_header_callback(made, Callbacks::header);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, Callbacks::streamClosed);
    check(nghttp2_session_client_new(&session, made, this));
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, window);
}

LoadConnection::~LoadConnection() {
    nghttp2_session_del(session);
}

void LoadConnection::start(LoadCall& call) {
    call.isOK = false;
    nghttp2_data_provider message{};
    message.source.ptr = &call;
    message.read_callback = Callbacks::data;
    check(nghttp2_submit_request(session, nullptr, head.data(), head.size(), &message, &call));
}

void LoadConnection::send() {
    for (;;) {
        if (sent == output.size()) {
            fill();
            if (output.empty()) {
                return;
            }
        }
        const ssize_t count = ::send(socket, output.data() + sent, output.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            sent += static_cast<size_t>(count);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            checked(-1, "send");
        }
    }
}

void LoadConnection::fill() {
    output.clear();
    sent = 0;
    while (output.size() < outputBytes) {
        const uint8_t* bytes = nullptr;
        const ssize_t count = nghttp2_session_mem_send(session, &bytes);
        check(count);
        if (count == 0) {
            return;
        }
        output.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
    }
}

void LoadConnection::receive() {
    thread_local std::vector<uint8_t> buffer(readBytes);
    const ssize_t count = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (checked(static_cast<int>(count), "recv") == 0) {
        throw std::runtime_error("the server closed the connection");
    }
    check(nghttp2_session_mem_recv(session, buffer.data(), static_cast<size_t>(count)));
}

}  // namespace kith
