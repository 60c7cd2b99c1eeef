/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client: one connection and its protocol state.
 *
 * What: bytes in and out, the parser, the selected database, name, transaction, subscriptions.
 *       client.c makes and closes clients, client_io.c moves bytes and runs batches of requests,
 *       dispatch.c runs one request.
 * Always: a client that was asked to close executes nothing more, and is freed when nothing on the
 *         stack holds it any longer (before the loop sleeps).
 * Owner: its worker; all of it but `shared` is touched by that worker's thread only. Other threads
 *        know a client by its id, and send mail to its worker.
 * Lock: none; `shared` holds atomics, and strings under its own lock.
 * Errors: a client that breaks the protocol or a limit is closed, and the log says why.
 */
#ifndef KN_SERVER_CLIENT_H
#define KN_SERVER_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/chain.h"
#include "base/lock.h"
#include "net/loop.h"
#include "proto/parser.h"
#include "server/pubsub.h"
#include "server/transaction.h"

struct command;
struct server;
struct waiter;
struct worker;

enum client_flag {
    CLIENT_CLOSE_AFTER_REPLY = 1 << 0, /* reads nothing more */
    CLIENT_CLOSING = 1 << 1,           /* to be freed at the end of the round */
    CLIENT_UNIX = 1 << 2,
    CLIENT_NO_EVICT = 1 << 3,
    CLIENT_NO_TOUCH = 1 << 4,
    CLIENT_REPLY_OFF = 1 << 5,
    CLIENT_REPLY_SKIP = 1 << 6,      /* this command's reply is dropped */
    CLIENT_REPLY_SKIP_NEXT = 1 << 7, /* the next command's is */
    CLIENT_PAUSED = 1 << 8,          /* requests wait until the pause ends */
    CLIENT_PENDING_INPUT = 1 << 9,   /* has requests to go on with, at the next round */
    CLIENT_HELD = 1 << 11,           /* requests wait until it has read more of its replies */
    CLIENT_AHEAD = 1 << 12,          /* requests wait until what it published was taken */
    CLIENT_CAN_REDIRECT = 1 << 13,   /* CLIENT CAPA REDIRECT */
    /* The push being written answers this very request: not dropped by REPLY OFF. */
    CLIENT_PUSHING = 1 << 10,
};

/* What may wait for a client that has not authenticated, where that is asked for. */
enum { CLIENT_STRANGER_OUTPUT_BYTES = 1024 };

/* What other threads may read of a client: CLIENT LIST. */
struct client_shared {
    _Atomic uint32_t flags;
    _Atomic uint32_t db, resp;
    _Atomic uint32_t channels, patterns, shard_channels;
    _Atomic int32_t queued; /* commands in a transaction; -1 when in none */
    _Atomic uint32_t watched;
    _Atomic bool blocked;
    _Atomic bool killed; /* CLIENT KILL was here, or it is closing: served and listed no more */
    /* The turn of its wait for keys (0: none), and of the last that CLIENT UNBLOCK has ended. */
    _Atomic uint64_t wait_turn, unblocked_turn;
    _Atomic int64_t created_ms, active_ms;
    _Atomic(const struct command *) last_command;
    _Atomic uint64_t query_bytes, query_room, output_bytes, queued_bytes, argument_bytes;
    _Atomic uint64_t commands, bytes_in, bytes_out;
    struct lock lock; /* guards the strings */
    char *name, *lib_name, *lib_version;
    char address[128], local_address[128];
};

struct client {
    uint64_t id;
    int fd;
    struct worker *worker;
    struct loop_watch watch;
    struct chain_link worker_link;   /* in the worker's clients */
    struct chain_link flush_link;    /* in the worker's clients with output, or closing */
    struct chain_link registry_link; /* in the registry, under its lock */
    struct buffer in;                /* bytes not consumed yet */
    struct buffer out;               /* bytes not sent yet */
    struct buffer *active_out;       /* while its requests run: where replies go */
    size_t out_sent;                 /* of `out`, from the front */
    int64_t soft_limit_since_ms;     /* when the output passed its soft limit; 0: it is below */
    struct parser parser;
    unsigned flags; /* enum client_flag */
    bool authenticated;
    unsigned db;
    int resp;
    struct transaction transaction;
    struct subscriptions subscriptions;
    struct waiter *waiter; /* not NULL while blocked */
    struct client_shared shared;
};

/* Takes over an accepted connection; NULL when it was refused (it has
 * been told why, and closed). */
struct client *client_new(struct worker *worker, int fd, bool is_unix);
/* Closes at the end of the round; what it has to say may still be sent if after_reply. */
void client_close(struct client *client, bool after_reply);
/* For the worker: frees a client that is closing. */
void client_destroy(struct client *client);

/* Back to what a new connection is: RESET. */
void client_reset(struct client *client);
void client_select(struct client *client, unsigned db);
void client_set_resp(struct client *client, int resp);
/* One of the shared strings; an empty value takes it away. */
void client_set_string(struct client *client, char **field, struct bytes value);

/* ---- output; from the client's own thread ---- */

/* Where the next reply or push is to be written. Follow with client_output_done. */
struct buffer *client_output(struct client *client);
/* The most that one reply may take before it is over client-output-buffer-limit. */
size_t client_reply_max(const struct client *client);
/* Sees to it that the output is sent before the loop sleeps, and within its limits. */
void client_output_done(struct client *client);

/* ---- input and execution: client_io.c ---- */

/* The socket is readable or writable. */
void client_ready(struct loop_watch *watch, unsigned events);
/* Runs requests that had to wait: after blocking, a pause, or too long a pipeline. */
void client_resume(struct client *client);
/* Has the worker do so, when it has done what it is doing. */
void client_go_on(struct client *client);
/* Sends what there is; called by the worker before it sleeps. */
void client_flush(struct client *client);

#endif
