/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MULTI, EXEC, DISCARD, WATCH.
 *
 * What: a client's queue of commands, and the keys it watches. EXEC takes the shards of all
 *       keys of all queued commands (and of the watched keys) at once, so a transaction is one
 *       step for everybody else.
 * Always: a watch stands in the watch list of its key's shard exactly as long as
 *         the client watches the key.
 * Owner: the client's thread owns queue and list of watches; a watch's links in its
 *        shard belong to the shard.
 * Lock: said at each function. `dirty` is written by whoever holds a watched key's shard.
 * Errors: none.
 */
#ifndef KN_SERVER_TRANSACTION_H
#define KN_SERVER_TRANSACTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/chain.h"
#include "store/key.h"

struct client;
struct command;
struct request;
struct server;
struct shard;
struct watching;

enum { TRANSACTION_COMMANDS_MAX = 1 << 26 };

struct queued_command {
    const struct command *command;
    struct bytes *argv; /* one allocation, with the bytes behind it */
    uint32_t argc;
    size_t bytes;
};

struct transaction {
    bool open;   /* after MULTI */
    bool failed; /* a command could not be queued: EXEC will refuse */
    struct queued_command *queue;
    uint32_t count, capacity;
    size_t bytes;
    struct chain watches;
    _Atomic bool dirty; /* a watched key was changed */
};

void transaction_init(struct transaction *transaction);
/* Forgets the queue; watches stay. */
void transaction_clear(struct transaction *transaction);

/* On the client's thread, no shard held. */
void transaction_queue(struct client *client, const struct command *command,
                       const struct bytes *argv, uint32_t argc);
/* Runs the queue and writes the reply. */
void transaction_exec(struct request *request);
/* Drops queue and watches. Client's thread. */
void transaction_end(struct client *client);

/* The watched key's shard is held. */
void watch_add(struct client *client, unsigned db, const struct key *key, int64_t now_ms);
/* Takes no shard. */
void watch_clear(struct client *client);

/* For the change feed: the key's shard is held. */
void watch_key_changed(struct server *server, const struct shard *shard, unsigned db,
                       const struct key *key);
/* Before FLUSH* and SWAPDB; every shard is held. db -1: all. Keys that do not exist now are not
 * concerned, unless they exist in or_db (SWAPDB; -1 for none). */
void watch_db_changes(struct server *server, int db, int or_db, int64_t now_ms);
/* What anybody watches may be another key from now on. Every shard held. */
void watch_all_changed(struct server *server);

/* The watch lists of all shards. */
struct watching *watching_new(void);
void watching_free(struct watching *watching);

#endif
