#pragma once
#include <microhttpd.h>
#include <sys/socket.h>

// MHD_start_daemon and MHD_get_daemon_info take variable arguments, which Swift cannot pass.

/// How much one who asks may take.
typedef struct {
    unsigned int connections;
    unsigned int idle_seconds;
    size_t connection_bytes;
} kith_mhd_limits;

/// Answers requests on one thread of its own. Null where the address cannot be listened on: errno says why.
static inline struct MHD_Daemon *kith_mhd_start(const struct sockaddr *address, kith_mhd_limits limits,
                                                MHD_AccessHandlerCallback handler, void *context)
{
    const unsigned int flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
    return MHD_start_daemon(address->sa_family == AF_INET6 ? flags | MHD_USE_IPv6 : flags, 0, NULL, NULL, handler, context,
                            MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_CONNECTION_LIMIT, limits.connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, limits.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            limits.connection_bytes, MHD_OPTION_END);
}

/// The port that it listens on.
static inline int kith_mhd_port(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *information = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return information == NULL ? 0 : information->port;
}
