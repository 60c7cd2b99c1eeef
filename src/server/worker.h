/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: a thread with an event loop and its own clients.
 *
 * What: serves its clients, sweeps its share of the shards for expired keys, and takes
 *       mail from other workers.
 * Always: what is in struct worker is touched by its own thread only, but for its mailbox.
 * Owner: the server owns its workers. Lock: none.
 * Errors: worker_new returns NULL when the system refuses a loop.
 */
#ifndef KN_SERVER_WORKER_H
#define KN_SERVER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/chain.h"
#include "net/loop.h"
#include "net/mailbox.h"
#include "proto/parser.h"

struct client;
struct evict_pool;
struct guard_owed;
struct server;

struct worker {
    struct server *server;
    unsigned index;
    struct loop *loop;
    struct loop_timer cron;
    struct loop_timer census; /* of worker 0: the walk for the catalog's sake */
    int64_t ticked_us;
    struct loop_timer pause_over; /* set while clients of this worker are held back by a pause */
    struct loop_timer mail_taken; /* set while publishers are held back: see pubsub_is_ahead */
    struct chain clients;
    struct chain to_flush; /* clients with output or input to go on with, or closing */
    struct buffer in,
        out; /* shared by all clients of this thread: small, and always in the cache */
    struct buffer
        pushes; /* messages to the client whose request runs, kept until its reply is whole */
    struct parser_batch batch;
    struct arena arena;
    struct evict_pool *evict_pool;
    struct guard_owed *owed; /* keys whose lifetime is still to come */
    struct command_stats *command_stats;
    struct pubsub_local *pubsub; /* subscriptions of this worker's clients */
    struct client *current;      /* whose requests are running */
    int64_t now_ms;              /* noted once a batch */
    uint64_t cron_rounds;
    uint64_t aliases_followed;  /* the generation that all its waiters know */
    unsigned sweep_next;        /* the shard where the expiry sweep goes on */
    bool publishes_ahead;       /* the request that runs published more than is taken */
    bool serving;               /* woken commands are running */
    struct client *busy_client; /* whose script runs too long, while others are served within it */
};

struct worker *worker_new(struct server *server, unsigned index);
/* After its thread has ended. Closes its clients. */
void worker_free(struct worker *worker);
/* Runs until server_stop, on the calling thread. */
void worker_run(struct worker *worker);

/* Sends what there is to send, as before the loop sleeps. On the worker's thread. */
void worker_flush(struct worker *worker);

/* Runs a function on the worker's thread, with a copy of `size` bytes of
 * payload. From any thread. */
void worker_post(struct worker *worker, void (*run)(struct worker *worker, void *payload),
                 const void *payload, size_t size);
/* The worker's client of this id; NULL when it is gone. On the worker's thread. */
struct client *worker_find_client(struct worker *worker, uint64_t id);
/* Lets clients go on that a pause held back, as soon as it is over. On the worker's thread. */
void worker_watch_pause(struct worker *worker);
/* Lets publishers go on, as soon as their messages were taken. On the worker's thread. */
void worker_watch_mail(struct worker *worker);

/* The worker of the calling thread; NULL on threads that are none. */
struct worker *worker_current(void);

#endif
