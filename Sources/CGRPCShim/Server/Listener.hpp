// Sockets that wait for connections.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "Sockets/Descriptor.hpp"

namespace kith {

struct Accepted {
    Descriptor socket;
    /// host:port of the client.
    std::string peer;
};

/// Listens on all addresses that `address` (host:port; IPv6 in brackets) stands for, on one port: 0 takes a free one.
/// Throws std::runtime_error that says what is wrong.
std::vector<Descriptor> listenOn(const std::string& address, int& port);

/// The next connection that waits. -1 where there is none; errno says why.
Accepted accept(const Descriptor& listener);

}  // namespace kith
