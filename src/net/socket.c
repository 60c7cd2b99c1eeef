/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

/* Any address a socket may have. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

static enum socket_status classify(void) {
    switch (errno) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR: return SOCKET_AGAIN;
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case ENOTCONN: return SOCKET_CLOSED;
    default: return SOCKET_FAILED;
    }
}

enum socket_status socket_read(int fd, void *data, size_t len, size_t *ret_len) {
    ssize_t got = recv(fd, data, len, 0);
    if (got > 0) {
        *ret_len = (size_t)got;
        return SOCKET_OK;
    }
    return got == 0 ? SOCKET_CLOSED : classify();
}

enum socket_status socket_write(int fd, const void *data, size_t len, size_t *ret_len) {
    ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
    if (sent < 0) return classify();
    *ret_len = (size_t)sent;
    return SOCKET_OK;
}

static int set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? ERROR_SYSTEM : 0;
}

int socket_set_nodelay(int fd, bool on) {
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

int socket_set_keepalive(int fd, int seconds) {
    if (seconds <= 0) return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    /* First probe after `seconds`, then two more, so that a dead peer is
     * found within twice that. */
    int between = seconds / 3 > 0 ? seconds / 3 : 1;
    int code = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (code == 0) code = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    if (code == 0) code = set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, between);
    if (code == 0) code = set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    return code;
}

/* ---- names ---- */

static size_t format_address(const union address *address, char *out) {
    char host[INET6_ADDRSTRLEN];
    int len = 0;
    switch (address->any.sa_family) {
    case AF_INET:
        if (!inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host)) break;
        len = snprintf(out, SOCKET_ADDRESS_MAX, "%s:%d", host, ntohs(address->v4.sin_port));
        break;
    case AF_INET6:
        if (!inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host)) break;
        len = snprintf(out, SOCKET_ADDRESS_MAX, "[%s]:%d", host, ntohs(address->v6.sin6_port));
        break;
    case AF_UNIX:
        /* The path may fill its field to the last byte, without a zero. */
        len = snprintf(out, SOCKET_ADDRESS_MAX, "%.*s:0",
                       (int)strnlen(address->local.sun_path, sizeof address->local.sun_path),
                       address->local.sun_path);
        break;
    default: break;
    }
    if (len <= 0) len = snprintf(out, SOCKET_ADDRESS_MAX, "?:0");
    return (size_t)len;
}

static bool get_address(int fd, bool peer, union address *ret_address) {
    socklen_t size = sizeof *ret_address;
    memset(ret_address, 0, sizeof *ret_address);
    return (peer ? getpeername : getsockname)(fd, &ret_address->any, &size) == 0;
}

size_t socket_local_address(int fd, char *out) {
    union address address;
    get_address(fd, false, &address);
    return format_address(&address, out);
}

size_t socket_peer_address(int fd, char *out) {
    union address address;
    if (get_address(fd, true, &address) && address.any.sa_family == AF_UNIX) {
        /* Clients of a Unix socket have no name: the server's path stands for them. */
        return socket_local_address(fd, out);
    }
    return format_address(&address, out);
}

int socket_local_port(int fd) {
    union address address;
    if (!get_address(fd, false, &address)) return 0;
    if (address.any.sa_family == AF_INET) return ntohs(address.v4.sin_port);
    if (address.any.sa_family == AF_INET6) return ntohs(address.v6.sin6_port);
    return 0;
}

bool socket_peer_is_local(int fd) {
    union address address;
    if (!get_address(fd, true, &address)) return false;
    switch (address.any.sa_family) {
    case AF_UNIX: return true;
    case AF_INET: return ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
            return address.v6.sin6_addr.s6_addr[12] == 127;
        }
        return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
    default: return false;
    }
}
