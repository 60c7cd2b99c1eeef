/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serving others in the midst of a script means to run a round of the event loop within a
 * request. What the worker uses for the request that runs is set aside for that time: its
 * buffers, its arena, its batch.
 */
#include "server/busy.h"

#include "proto/reply.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_stats.h"
#include "server/server.h"
#include "server/worker.h"

void busy_begin(struct worker *worker, const struct shard_set *held, bool is_function) {
    struct server *server = worker->server;
    atomic_store(&server->busy_with_function, is_function);
    store_mark_busy(server->store, held, true);
}

void busy_end(struct worker *worker, const struct shard_set *held) {
    store_mark_busy(worker->server->store, held, false);
}

bool busy_refuses(const struct worker *worker, const struct command *command) {
    if (command->flags & COMMAND_ALLOW_BUSY) return false;
    if (worker->busy_client != NULL) return true;
    return command->flags & (COMMAND_VISITS_SHARDS | COMMAND_ALL_SHARDS) &&
           store_is_busy(worker->server->store);
}

const char *busy_text(bool is_function) {
    return is_function ? "BUSY Redis is busy running a script. You can only call FUNCTION KILL or "
                         "SHUTDOWN NOSAVE."
                       : "BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                         "SHUTDOWN NOSAVE.";
}

void busy_reply(const struct server *server, struct reply *reply) {
    reply_error(reply, busy_text(atomic_load(&server->busy_with_function)));
}

void busy_serve(struct worker *worker, struct client *script_client) {
    struct worker outer = *worker;
    struct buffer *active_out = script_client->active_out, messages;
    command_stats_begin_nested(worker);
    buffer_init(&worker->in, outer.in.max);
    buffer_init(&worker->out, outer.out.max);
    buffer_init(&worker->pushes, outer.pushes.max);
    parser_batch_init(&worker->batch);
    arena_init(&worker->arena);
    /* What is published to the script's client goes out behind its reply, like what the
     * script itself publishes. */
    buffer_init(&messages, outer.pushes.max);
    script_client->active_out = &messages;
    worker->busy_client = script_client;
    worker->current = NULL;
    loop_run_nested(worker->loop);
    worker_flush(worker);
    worker->busy_client = NULL;
    script_client->active_out = active_out;
    buffer_done(&worker->in);
    buffer_done(&worker->out);
    buffer_done(&worker->pushes);
    parser_batch_done(&worker->batch);
    arena_done(&worker->arena);
    worker->in = outer.in;
    worker->out = outer.out;
    worker->pushes = outer.pushes;
    worker->batch = outer.batch;
    worker->arena = outer.arena;
    worker->current = outer.current;
    worker->now_ms = outer.now_ms;
    if (messages.len > 0 && buffer_add(&worker->pushes, messages.data, messages.len) != 0)
        client_close(script_client, false);
    buffer_done(&messages);
    command_stats_end_nested(worker);
}
