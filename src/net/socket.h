/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets that never block, and their names.
 *
 * What: reads and writes whose outcomes are told apart, options, and addresses as text.
 * Owner: the caller owns descriptors. Lock: none.
 * Errors: enum socket_status; ERROR_SYSTEM from the others, with errno.
 */
#ifndef KN_NET_SOCKET_H
#define KN_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

enum socket_status {
    SOCKET_OK,     /* some bytes went */
    SOCKET_AGAIN,  /* none can go now */
    SOCKET_CLOSED, /* the other end is gone: end of stream, reset, broken pipe */
    SOCKET_FAILED, /* errno tells why */
};

enum socket_status socket_read(int fd, void *data, size_t len, size_t *ret_len);
enum socket_status socket_write(int fd, const void *data, size_t len, size_t *ret_len);

int socket_set_nodelay(int fd, bool on);
/* Probes an idle peer after this many seconds; 0 turns it off. */
int socket_set_keepalive(int fd, int seconds);

/* "127.0.0.1:6379", "[::1]:6379"; for a Unix socket its path and ":0"; "?:0" when unknown. */
enum { SOCKET_ADDRESS_MAX = 160 };
size_t socket_peer_address(int fd, char *out);
size_t socket_local_address(int fd, char *out);
/* Port of a bound TCP socket, 0 for others. */
int socket_local_port(int fd);
/* Whether the peer is on this machine: the loopback network or a Unix socket. */
bool socket_peer_is_local(int fd);

#endif
