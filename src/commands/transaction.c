/* SPDX-License-Identifier: BSD-3-Clause */
/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include "commands/families.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/transaction.h"

static void cmd_multi(struct request *request) {
    struct client *client = request->client;
    if (client->transaction.open) {
        reply_error(request->reply, "ERR MULTI calls can not be nested");
        return;
    }
    client->transaction.open = true;
    atomic_store_explicit(&client->shared.queued, 0, memory_order_relaxed);
    reply_ok(request->reply);
}

static void cmd_discard(struct request *request) {
    struct client *client = request->client;
    if (!client->transaction.open) {
        reply_error(request->reply, "ERR DISCARD without MULTI");
        return;
    }
    transaction_clear(&client->transaction);
    watch_clear(client);
    atomic_store_explicit(&client->shared.queued, -1, memory_order_relaxed);
    reply_ok(request->reply);
}

static void cmd_watch(struct request *request) {
    struct client *client = request->client;
    if (client->transaction.open) {
        reply_error(request->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (uint32_t i = 0; i < request->key_count; i++)
        watch_add(client, request->db, request_key(request, i), request->now_ms);
    reply_ok(request->reply);
}

static void cmd_unwatch(struct request *request) {
    /* Queued in a transaction it has nothing to do: EXEC forgets the
     * watches, and holds their shards. */
    if (!(request->flags & REQUEST_NO_BLOCK)) watch_clear(request->client);
    reply_ok(request->reply);
}

enum {
    ANY_TIME =
        COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST | COMMAND_ALLOW_BUSY
};

static const struct command rows[] = {
    {.name = "multi",
     .arity = 1,
     .flags = ANY_TIME,
     .groups = GROUP_TRANSACTION,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Starts a transaction.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_multi},
    {.name = "exec",
     .arity = 1,
     .flags = COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE | COMMAND_SKIP_SLOWLOG,
     .groups = GROUP_TRANSACTION,
     .since = "1.2.0",
     .complexity = "Depends on commands in the transaction",
     .summary = "Executes all commands in a transaction.",
     .syntax = "",
     .reply = "array | null",
     .handler = transaction_exec},
    {.name = "discard",
     .arity = 1,
     .flags = ANY_TIME,
     .groups = GROUP_TRANSACTION,
     .since = "2.0.0",
     .complexity = "O(N), when N is the number of queued commands",
     .summary = "Discards a transaction.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_discard},
    {.name = "watch",
     .arity = -2,
     .flags = ANY_TIME,
     .groups = GROUP_TRANSACTION,
     .keys = {KEY_ALL_FROM(1, KEY_RO)},
     .since = "2.2.0",
     .complexity = "O(1) for every key.",
     .summary = "Monitors changes to keys to determine the execution of a transaction.",
     .syntax = "key [key ...]",
     .reply = "OK",
     .handler = cmd_watch},
    {.name = "unwatch",
     .arity = 1,
     .flags = ANY_TIME,
     .groups = GROUP_TRANSACTION,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Forgets about watched keys of a transaction.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_unwatch},
    {0},
};

const struct command_family transaction_commands = {"transactions", rows};
