/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One request, from its arguments to its reply.
 *
 * What: finds the command, decides whether it may run now, takes the shards of its keys, runs it,
 *       gives them back, and serves whoever waited for what it changed.
 * Always: shards are taken here (and by transaction.c and blocking.c, which run requests too), as
 *         one set in ascending order, with none held before.
 * Lock: no shard is held by the caller.
 * Errors: replied.
 */
#ifndef KN_SERVER_DISPATCH_H
#define KN_SERVER_DISPATCH_H

#include "server/request.h"
#include "store/shard.h"

struct client;
struct worker;

/* A request of a batch, looked at before its turn, so that memory it
 * needs is already on its way. */
struct prepared {
    const struct command *command; /* NULL: there is none of that name */
    unsigned number;               /* of the command, for statistics */
    bool has_key;                  /* exactly one key, and this is it */
    uint64_t generation;           /* of the aliases that the key was found by */
    struct request_key key;
};

void dispatch_prepare(struct client *client, const struct bytes *argv, uint32_t argc,
                      struct prepared *ret_prepared);

enum dispatch_result {
    DISPATCH_DONE,      /* replied, queued, or not to be replied */
    DISPATCH_BLOCKED,   /* the client waits; what follows in its pipeline waits too */
    DISPATCH_POSTPONED, /* not begun: the same request is to be given again later */
};
enum dispatch_result dispatch(struct client *client, struct bytes *argv, uint32_t argc,
                              const struct prepared *prepared);

/* ---- for those who run requests themselves ---- */

/* Finds the keys and sets request->keys; replies and returns false when they cannot be told. */
bool request_find_keys(struct request *request);
/* Adds the shards that the request needs. */
void request_add_shards(const struct request *request, struct shard_set *set);
/* Runs the handler; its shards are held. */
void request_run(struct request *request);
/* The name of a command as errors and statistics give it: "config|get". Written to out. */
enum { COMMAND_NAME_MAX = 64 };
const char *command_full_name(const struct server *server, const struct command *command,
                              char out[COMMAND_NAME_MAX]);

#endif
