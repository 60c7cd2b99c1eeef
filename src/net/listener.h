/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accepts connections and hands them round to the worker threads.
 *
 * What: TCP sockets on several addresses and a Unix socket. They are watched by the first
 *       loop; accepted connections go to all loops in turn, through their mailboxes, so
 *       that even few spread evenly.
 * Always: a connection is nonblocking and closed on exec; TCP has no delay, and keepalive when
 *         asked for. `accepted` runs on the thread of the loop it is told.
 * Owner: the listener owns its sockets and the path of the Unix one; `accepted`
 *        takes the descriptor over.
 * Lock: its own, for what listener_rebind changes. Made, started and freed by the first loop's
 *       thread (or before and after the loops run); the other calls say so.
 * Errors: listener_new and listener_rebind return NULL or false with a sentence in error.
 *         What accept refuses is told to `failed`; when descriptors have run out, it rests
 *         a moment and tries again.
 */
#ifndef KN_NET_LISTENER_H
#define KN_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct listener;

struct listener_options {
    const char *const
        *addresses; /* "127.0.0.1", "::1", "*", "::*", names; a leading '-' makes it optional */
    size_t address_count; /* 0: no TCP */
    int port;             /* 0: the system chooses, one port for all addresses */
    bool no_tcp;
    int backlog;
    const char *unix_path; /* NULL or "": none */
    unsigned unix_mode;    /* permissions, 0 for the process's default */
    int keepalive_s;       /* 0: off */

    void *context;
    /* fd is accepted for loop number worker, and this runs on its thread. */
    void (*accepted)(void *context, unsigned worker, int fd, bool is_unix);
    /* error: errno of accept. May be NULL. */
    void (*failed)(void *context, int error);
};

enum { LISTENER_ERROR_MAX = 256, LISTENER_ADDRESSES_MAX = 16 };
/* Binds and listens. error: LISTENER_ERROR_MAX bytes. */
struct listener *listener_new(const struct listener_options *options, char *error);
/* Begins to accept. The array of loops must outlive the listener. */
int listener_start(struct listener *listener, struct loop *const *loops, unsigned loop_count);
/* How long new connections wait idle before they are probed; for connections from
 * now on. From any thread. */
void listener_set_keepalive(struct listener *listener, int seconds);
/* Listens on these addresses at this port (0: on none) in place of those before; the connections
 * that were accepted, and the Unix socket, stay. From any thread; what is listened on has changed
 * when it returns. When it fails, it listens where it did before, as far as the system lets it.
 * error: LISTENER_ERROR_MAX bytes. */
bool listener_rebind(struct listener *listener, const char *const *addresses, size_t count,
                     int port, char *error);
/* Stops accepting and closes the sockets; connections stay. Removes the Unix socket's path. */
void listener_free(struct listener *listener);

/* The TCP port that is bound, 0 when none. From any thread. */
int listener_port(struct listener *listener);

#endif
