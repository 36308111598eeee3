#include "Listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <stdexcept>

#include "Sockets/Address.hpp"

namespace kith {
namespace {

void setPort(sockaddr* address, int port) {
    const in_port_t number = htons(static_cast<in_port_t>(port));
    if (address->sa_family == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(address)->sin6_port = number;
    } else {
        reinterpret_cast<sockaddr_in*>(address)->sin_port = number;
    }
}

int portOf(int socket) {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    // At the same place for both families.
    return ntohs(address.sin6_port);
}

/// -1 with errno where it can't be had.
Descriptor bound(const addrinfo& address) {
    Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int yes = 1, no = 0;
    // So that a server that restarts need not wait for old connections to fade. A second server on the port still fails.
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address.ai_family == AF_INET6) {
        // "[::]" takes IPv4 too.
        setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    }
    if (socket < 0 || bind(socket, address.ai_addr, address.ai_addrlen) != 0 || listen(socket, SOMAXCONN) != 0) {
        return Descriptor();
    }
    return socket;
}

std::string text(const sockaddr_storage& address) {
    char host[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &four.sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(ntohs(four.sin_port));
    }
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    const std::string port = ":" + std::to_string(ntohs(six.sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
        inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, host, sizeof host);
        return host + port;
    }
    inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof host);
    return "[" + std::string(host) + "]" + port;
}

}  // namespace

std::vector<Descriptor> listenOn(const std::string& address, int& port) {
    std::string reason;
    const Addresses addresses = resolve(address, AI_PASSIVE, reason);
    std::vector<Descriptor> sockets;
    for (addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
        if (!sockets.empty()) {
            setPort(each->ai_addr, port);
        }
        Descriptor socket = bound(*each);
        if (socket >= 0) {
            port = portOf(socket);
            sockets.push_back(std::move(socket));
        } else if (reason.empty()) {
            reason = std::generic_category().message(errno);
        }
    }
    if (sockets.empty()) {
        throw std::runtime_error("cannot listen on " + address + ": " + reason);
    }
    return sockets;
}

Accepted accept(const Descriptor& listener) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor socket(accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket < 0) {
        return {std::move(socket), {}};
    }
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return {std::move(socket), text(address)};
}

}  // namespace kith
