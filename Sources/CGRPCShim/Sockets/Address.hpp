// host:port as people write it.
#pragma once
#include <netdb.h>

#include <memory>
#include <string>

namespace kith {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// What the address stands for, for streams; an IPv6 host may stand in brackets. Null, with a reason, where that cannot be found.
///
/// `flags` as of getaddrinfo; AI_PASSIVE takes an empty host for every one of this machine.
Addresses resolve(const std::string& address, int flags, std::string& reason);

}  // namespace kith
