/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole databases: FLUSHDB, FLUSHALL, SWAPDB. */
#include "commands/families.h"
#include "server/aliases.h"
#include "server/arguments.h"
#include "server/blocking.h"
#include "server/server.h"
#include "server/transaction.h"
#include "store/admin.h"

static void flush(struct request *request, int db) {
    bool lazy = atomic_load(&request->server->limits.flush_lazily);
    if (request->argc == 2 && argument_is(request, 1, "sync"))
        lazy = false;
    else if (request->argc == 2 && argument_is(request, 1, "async"))
        lazy = true;
    else if (request->argc > 1) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    watch_db_changes(request->server, db, -1, request->now_ms);
    request->changes += store_flush(request->store, db, lazy);
    for (unsigned each = 0; each < store_db_count(request->store); each++)
        if (db < 0 || each == (unsigned)db) blocking_db_changed(request->server, each);
    reply_ok(request->reply);
}

static void cmd_flushdb(struct request *request) {
    flush(request, (int)request->db);
}

static void cmd_flushall(struct request *request) {
    flush(request, -1);
}

static void cmd_swapdb(struct request *request) {
    int64_t number;
    unsigned a, b;
    /* Both have to be numbers before either has to be a database. */
    if (!argument_i64_range(request, 1, INT32_MIN, INT32_MAX, &number,
                            "ERR invalid first DB index") ||
        !argument_i64_range(request, 2, INT32_MIN, INT32_MAX, &number,
                            "ERR invalid second DB index") ||
        !argument_db(request, 1, NULL, &a) || !argument_db(request, 2, NULL, &b))
        return;
    if (a != b) {
        watch_db_changes(request->server, (int)a, (int)b, request->now_ms);
        store_swap_dbs(request->store, a, b);
        aliases_disturb(request->server->aliases);
        blocking_db_changed(request->server, a);
        blocking_db_changed(request->server, b);
        request->changes++;
    }
    reply_ok(request->reply);
}

enum { WHOLE = COMMAND_WRITE | COMMAND_ALL_SHARDS };

static const struct command rows[] = {
    {.name = "flushdb",
     .arity = -1,
     .flags = WHOLE,
     .groups = GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in the selected database, O(1) with ASYNC",
     .summary = "Removes all keys from the current database.",
     .syntax = "[ASYNC | SYNC]",
     .reply = "OK",
     .handler = cmd_flushdb},
    {.name = "flushall",
     .arity = -1,
     .flags = WHOLE,
     .groups = GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of keys in all databases, O(1) with ASYNC",
     .summary = "Removes all keys from all databases.",
     .syntax = "[ASYNC | SYNC]",
     .reply = "OK",
     .handler = cmd_flushall},
    {.name = "swapdb",
     .arity = 3,
     .flags = WHOLE | COMMAND_FAST,
     .groups = GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "4.0.0",
     .complexity =
         "O(N) where N is the count of clients watching or blocking on keys from both databases.",
     .summary = "Swaps two databases.",
     .syntax = "index1 index2",
     .reply = "OK",
     .handler = cmd_swapdb},
    {0},
};

const struct command_family database_commands = {"server", rows};
