#include "Address.hpp"

namespace kith {

Addresses resolve(const std::string& address, int flags, std::string& reason) {
    Addresses addresses(nullptr, freeaddrinfo);
    const size_t colon = address.rfind(':');
    if (colon == std::string::npos) {
        reason = "it is not host:port";
        return addresses;
    }
    std::string host = address.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    addrinfo hints{};
    hints.ai_flags = flags | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failure = getaddrinfo(host.empty() ? nullptr : host.c_str(), address.c_str() + colon + 1, &hints, &found);
    if (failure != 0) {
        reason = gai_strerror(failure);
    }
    addresses.reset(found);
    return addresses;
}

}  // namespace kith
