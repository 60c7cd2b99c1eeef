/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that wait for a key: BLPOP and its kind.
 *
 * What: a waiter keeps a copy of its request and stands in the wait lists of its keys, in their
 *       shards. When a command has changed a key that somebody waits for, the thread that ran it
 *       serves the waiters, in the order in which they came, before it goes on: it runs their
 *       commands anew and sends the replies to their own threads. So whoever pushed and asks next
 *       sees what was left over, as on a single thread.
 * Always: a waiter is in all wait lists of its keys (waiting) or in none (served or cancelled), and
 *         it changes from one to the other with the shards of all its keys held.
 *
 *             waiting --served--> served      (by the thread of the writer)
 *                \------cancelled--> cancelled (by its own thread: timeout, CLIENT UNBLOCK,
 *                                               the client is gone)
 *
 * Owner: the client's thread; whoever serves holds a reference.
 * Lock: said at each function.
 * Errors: none.
 */
#ifndef KN_SERVER_BLOCKING_H
#define KN_SERVER_BLOCKING_H

#include <stdbool.h>
#include <stdint.h>

#include "store/key.h"

struct client;
struct client_shared;
struct request;
struct server;
struct shard;
struct worker;

struct blocking;
struct blocking *blocking_new(void);
void blocking_free(struct blocking *blocking);

/* Makes the request's client wait as request->block says; the request's shards are held. */
void blocking_wait(struct request *request);

/* For the change feed: the key's shard is held. Remembers, on this thread,
 * that the key may be ready. */
void blocking_key_changed(struct server *server, const struct shard *shard, unsigned db,
                          const struct key *key);
/* Every key with waiters in a database may be ready: SWAPDB. Every shard is held. */
void blocking_db_changed(struct server *server, unsigned db);
/* Serves the waiters of keys that became ready by this thread's commands. No shard is held. */
void blocking_serve(struct worker *worker);
bool blocking_has_ready(void);

/* How a blocked client is released by its own thread; no shard is held. */
enum unblock { UNBLOCK_TIMEOUT, UNBLOCK_ERROR, UNBLOCK_SILENT };
/* Returns false when a script that runs too long has the shards: the client waits on. It is tried
 * again by itself, but for UNBLOCK_SILENT. */
bool blocking_cancel(struct client *client, enum unblock how);

/* CLIENT UNBLOCK, in two steps. From any thread, under the registry's lock: ends a client's wait,
 * so that nobody serves it any more; false when it is not waiting. */
bool blocking_unblock(struct client_shared *shared, uint64_t *ret_turn);
/* Then on the client's thread, no shard held: it gets its answer, if it is that
 * wait that it is still in. */
void blocking_unblocked(struct client *client, uint64_t turn, enum unblock how);

/* Once other aliases are in force: the worker's blocked clients wait for their keys as these are
 * called now, in the turns they had. On its own thread, no shard held. */
void blocking_follow_aliases(struct worker *worker);

#endif
