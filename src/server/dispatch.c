/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/dispatch.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"
#include "server/aliases.h"
#include "server/auth.h"
#include "server/blocking.h"
#include "server/busy.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/guard.h"
#include "server/pause.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"
#include "store/admin.h"
#include "store/dealing.h"
#include "store/patterns.h"
#include "store/prefetch.h"

enum { ERROR_ARGS_MAX = 128, EVICT_BUDGET_US = 500 };

const char *command_full_name(const struct server *server, const struct command *command,
                              char out[COMMAND_NAME_MAX]) {
    const struct command *parent = command_parent(server->commands, command);
    if (parent == NULL) return command->name;
    snprintf(out, COMMAND_NAME_MAX, "%s|%s", parent->name, command->name);
    return out;
}

void dispatch_prepare(struct client *client, const struct bytes *argv, uint32_t argc,
                      struct prepared *ret_prepared) {
    struct server *server = client->worker->server;
    const struct command *command =
        command_lookup(server->commands, argv[0], &ret_prepared->number);
    ret_prepared->command = command;
    ret_prepared->has_key = false;
    ret_prepared->generation = aliases_generation(server->aliases);
    if (command == NULL) return;
    const struct key_spec *spec = command->keys;
    /* The usual command has one key, next to its name. */
    if (spec[0].find != KEYS_RANGE || spec[0].begin != 1 || spec[0].last != 0 ||
        spec[0].flags & KEY_NOT_KEY || spec[1].find != KEYS_NONE || argc < 2)
        return;
    if (kn_unlikely(ret_prepared->generation != 0)) {
        const struct alias_table *table = aliases_now(server->aliases, &ret_prepared->generation);
        if (table != NULL && alias_may_concern(table, argv[1]) && !alias_is_settled(table, argv[1]))
            return;
    }
    ret_prepared->key = (struct request_key){.key = key_make(argv[1]), .arg = 1};
    ret_prepared->has_key = true;
    store_prefetch_bucket(server->store, client->db, &ret_prepared->key.key);
}

/* ---- may it run? ---- */

/* Words that only web browsers send, which a page made them send here: to go on could run commands
 * that the page hid in its text. */
static bool is_from_the_web(struct bytes name) {
    return bytes_is_word(name, "post") || bytes_is_word(name, "host:");
}

static void reply_unknown_command(struct client *client, struct reply *reply,
                                  const struct bytes *argv, uint32_t argc) {
    /* The last argument shown may pass the limit by its quotes. */
    char args[ERROR_ARGS_MAX + 4] = "";
    size_t len = 0;
    if (is_from_the_web(argv[0])) {
        log_warning("Closing client %llu (%s): it speaks HTTP, which a web page may have made a "
                    "browser send",
                    (unsigned long long)client->id, client->shared.address);
        client_close(client, false);
        return;
    }
    for (uint32_t i = 1; i < argc && len < ERROR_ARGS_MAX; i++) {
        size_t room = ERROR_ARGS_MAX - len;
        int shown = (int)(argv[i].len < room ? argv[i].len : room);
        int added = snprintf(args + len, sizeof args - len, "'%.*s' ", shown, argv[i].data);
        if (added < 0) break;
        len += (size_t)added;
    }
    reply_error_format(reply, "ERR unknown command '%.*s', with args beginning with: %s",
                       (int)(argv[0].len < ERROR_ARGS_MAX ? argv[0].len : ERROR_ARGS_MAX),
                       argv[0].data, args);
}

/* The row to run: the subcommand's, for a container. NULL when an error was replied. */
static const struct command *resolve(struct client *client, struct reply *reply,
                                     const struct command *command, const struct bytes *argv,
                                     uint32_t argc) {
    char name[COMMAND_NAME_MAX];
    atomic_store_explicit(&client->shared.last_command, NULL, memory_order_relaxed);
    if (command == NULL) {
        reply_unknown_command(client, reply, argv, argc);
        return NULL;
    }
    const struct command *row = command;
    if (command->subcommands != NULL && argc > 1) {
        row = command_find_subcommand(command, argv[1]);
        if (row == NULL) {
            char upper[COMMAND_NAME_MAX];
            size_t i;
            for (i = 0; command->name[i] && i + 1 < sizeof upper; i++)
                upper[i] = command->name[i] >= 'a' && command->name[i] <= 'z'
                               ? (char)(command->name[i] - 32)
                               : command->name[i];
            upper[i] = '\0';
            reply_error_format(reply, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                               (int)(argv[1].len < ERROR_ARGS_MAX ? argv[1].len : ERROR_ARGS_MAX),
                               argv[1].data, upper);
            return NULL;
        }
    }
    atomic_store_explicit(&client->shared.last_command, row, memory_order_relaxed);
    if ((row->arity > 0 && (uint32_t)row->arity != argc) ||
        (row->arity < 0 && argc < (uint32_t)-row->arity)) {
        reply_error_format(reply, "ERR wrong number of arguments for '%s' command",
                           command_full_name(client->worker->server, row, name));
        command_stats_rejected(client->worker,
                               command_number(client->worker->server->commands, row));
        return NULL;
    }
    return row;
}

static bool is_subscriber(const struct client *client) {
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        if (subscriptions_count(&client->subscriptions, (enum topic_kind)kind)) return true;
    return false;
}

/* Whether the client may run this command at all; replies when not. */
static bool admit(struct client *client, struct reply *reply, const struct command *row) {
    char name[COMMAND_NAME_MAX];
    struct server *server = client->worker->server;
    if (!client->authenticated && !(row->flags & COMMAND_NO_AUTH)) {
        reply_error(reply, "NOAUTH Authentication required.");
        return false;
    }
    if (client->transaction.open && row->flags & COMMAND_NO_MULTI) {
        reply_error(reply, "ERR Command not allowed inside a transaction");
        return false;
    }
    if (client->resp == 2 && !(row->flags & COMMAND_IN_SUBSCRIBER) && is_subscriber(client)) {
        reply_error_format(
            reply,
            "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
            "are allowed in this context",
            command_full_name(server, row, name));
        return false;
    }
    if (row->handler == NULL) {
        reply_error_format(reply,
                           "ERR The '%s' command is not supported by this version of Keynome",
                           command_full_name(server, row, name));
        return false;
    }
    return true;
}

/* Makes room when memory is over its limit. Returns false when a command that
 * needs memory must be refused. */
static bool make_room(struct client *client, struct reply *reply, const struct command *row) {
    struct worker *worker = client->worker;
    struct store *store = worker->server->store;
    /* While clients are paused nothing in the keyspace changes by
     * itself; they would wait anyway. */
    if (!store_over_limit(store) || pause_is_on(worker->server->pause, worker->now_ms)) return true;
    enum evict_result result =
        store_evict(store, worker->evict_pool, worker->now_ms, EVICT_BUDGET_US);
    if (blocking_has_ready()) blocking_serve(worker);
    if (result != EVICT_FAILED) return true;
    bool needs = row->flags & COMMAND_DENY_OOM;
    if (row->handler == transaction_exec)
        for (uint32_t i = 0; i < client->transaction.count; i++)
            needs |= (client->transaction.queue[i].command->flags & COMMAND_DENY_OOM) != 0;
    if (!needs) return true;
    reply_error_code(reply, ERROR_OUT_OF_MEMORY);
    return false;
}

static bool runs_in_transaction(const struct command *row) {
    static const char *const words[] = {"exec", "discard", "multi", "watch", "quit", "reset"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(row->name, words[i]) == 0 &&
            row->groups & (GROUP_TRANSACTION | GROUP_CONNECTION))
            return true;
    return false;
}

/* ---- running ---- */

/* A write while there are catalogs. */
static __attribute__((noinline)) void run_guarded(struct request *request) {
    uint32_t errors = request->reply->errors;
    if (kn_unlikely(store_enforces(request->store))) {
        guard_run(request);
    } else {
        store_begin_dealing();
        request->command->handler(request);
        guard_after(request, request->reply->errors != errors);
    }
}

void request_run(struct request *request) {
    if (kn_unlikely(request->twin_count > 0)) request_adopt(request, request->db);
    if (store_counts_patterns(request->store) && request->command->flags & COMMAND_WRITE &&
        request->key_count > 0)
        run_guarded(request);
    else
        request->command->handler(request);
    /* Not of writes alone: who reads may remove fields that have expired, and what an undone
     * script wrote was put back. */
    if (kn_unlikely(store_opened > 0)) store_settle(request->store);
}

/* Both return false, and nothing has happened, when a shard is held by a
 * script that runs too long. */

/* Whether the keys are still called what they were when they were found. A shard is held. */
static inline bool names_hold(const struct request *request) {
    return kn_likely(aliases_generation(request->server->aliases) == request->generation);
}

static bool execute_whole(struct request *request) {
    struct shard_set set;
    shard_set_fill(&set);
    request->flags |= REQUEST_ALL_SHARDS;
    request->wants_all = false;
    if (!store_take(request->store, &set)) return false;
    if (names_hold(request) || request_find_keys(request)) {
        request_run(request);
        if (request->block.wanted) blocking_wait(request);
    }
    store_give(request->store, &set);
    return true;
}

static bool execute(struct request *request) {
    struct store *store = request->store;
    if (request->command->flags & COMMAND_ALL_SHARDS) {
        request->wants_all = true;
    } else if (request->key_count == 0) {
        request_run(request);
    } else if (request->key_count == 1 && request->twin_count == 0) {
        unsigned shard = request->keys[0].key.shard;
        if (!store_take_one(store, shard)) return false;
        bool hold = names_hold(request);
        if (hold) {
            request_run(request);
            if (request->block.wanted) blocking_wait(request);
        }
        store_give_one(store, shard);
        if (!hold) return !request_find_keys(request) || execute(request);
    } else {
        struct shard_set set = {{0}};
        request_add_shards(request, &set);
        if (!store_take(store, &set)) return false;
        bool hold = names_hold(request);
        if (hold) {
            request_run(request);
            if (request->block.wanted) blocking_wait(request);
        }
        store_give(store, &set);
        if (!hold) return !request_find_keys(request) || execute(request);
    }
    if (kn_unlikely(request->wants_all) && !execute_whole(request)) return false;
    if (request->changes) stats_add(STAT_CHANGES, (int64_t)request->changes);
    return !request->busy;
}

/* An EXEC that is refused ends its transaction, and gives the reason under a code of its own. */
static void refuse_exec(struct client *client, struct reply *reply) {
    char why[2 * ERROR_ARGS_MAX];
    struct buffer *out = reply->out;
    if (reply->errors == 0 || out->len < reply->error_at + 3) return;
    const char *text = out->data + reply->error_at + 1;
    size_t len = out->len - reply->error_at - 3;
    if (len > 4 && memcmp(text, "ERR ", 4) == 0) text += 4, len -= 4;
    snprintf(why, sizeof why, "%.*s", (int)len, text);
    reply_rewind(reply, reply->error_at);
    reply_error_format(reply, "EXECABORT Transaction discarded because of: %s", why);
    transaction_end(client);
}

/* A request that may not run, in a transaction makes EXEC refuse. */
static void refused(struct client *client, struct reply *reply, const struct command *row) {
    if (client->transaction.open) client->transaction.failed = true;
    if (row != NULL && row->handler == transaction_exec) refuse_exec(client, reply);
}

static enum dispatch_result rejected(struct client *client, struct reply *reply,
                                     const struct command *row, unsigned number) {
    refused(client, reply, row);
    command_stats_rejected(client->worker, number);
    return DISPATCH_DONE;
}

static enum dispatch_result dispatch_row(struct client *client, struct reply *reply,
                                         const struct command *row, struct bytes *argv,
                                         uint32_t argc, const struct prepared *prepared) {
    struct worker *worker = client->worker;
    struct server *server = worker->server;
    unsigned number =
        row == prepared->command ? prepared->number : command_number(server->commands, row);
    if (!admit(client, reply, row)) return rejected(client, reply, row, number);
    if (kn_unlikely(store_is_busy(server->store)) && busy_refuses(worker, row)) {
        busy_reply(server, reply);
        return rejected(client, reply, row, number);
    }
    if (!make_room(client, reply, row)) return rejected(client, reply, row, number);
    if (pause_concerns(server->pause, worker->now_ms, client, row, argv)) return DISPATCH_POSTPONED;
    if (client->transaction.open && !runs_in_transaction(row)) {
        transaction_queue(client, row, argv, argc);
        REPLY_LITERAL(reply, "+QUEUED\r\n");
        return DISPATCH_DONE;
    }
    struct request_key one_key = prepared->key;
    struct request request = {
        .argv = argv,
        .argc = argc,
        .command = row,
        .keys = &one_key,
        .key_count = prepared->has_key && row == prepared->command,
        .generation = prepared->generation,
        .reply = reply,
        .store = server->store,
        .server = server,
        .client = client,
        .arena = &worker->arena,
        .db = client->db,
        .flags = (client->flags & CLIENT_NO_TOUCH ? REQUEST_NO_TOUCH : 0) |
                 (client->resp >= 3 ? REQUEST_RESP3 : 0),
        .now_ms = worker->now_ms,
    };
    if (request.key_count == 0 && !request_find_keys(&request))
        return rejected(client, reply, row, number);
    size_t mark = reply_defer(reply);
    if (kn_unlikely(!execute(&request))) {
        reply_rewind(reply, mark);
        arena_reset(&worker->arena);
        busy_reply(server, reply);
        return rejected(client, reply, row, number);
    }
    command_stats_called(worker, number, reply->errors != 0);
    arena_reset(&worker->arena);
    if (blocking_has_ready()) blocking_serve(worker);
    return request.block.wanted ? DISPATCH_BLOCKED : DISPATCH_DONE;
}

/* What a client hears of its subscriptions is no reply: it comes although replies are off. */
static bool tells_subscriptions(const struct client *client, const struct command *row,
                                const struct reply *reply) {
    return row != NULL && row->flags & COMMAND_PUBSUB && row->flags & COMMAND_IN_SUBSCRIBER &&
           reply->errors == 0 && !client->transaction.open;
}

static void close_overflown(struct client *client) {
    stats_count(STAT_OUTPUT_LIMIT_CLOSES);
    log_warning("Closing client %llu (%s): its output exceeds client-output-buffer-limit, or the "
                "memory for it",
                (unsigned long long)client->id, client->shared.address);
    client_close(client, false);
}

enum dispatch_result dispatch(struct client *client, struct bytes *argv, uint32_t argc,
                              const struct prepared *prepared) {
    struct reply reply;
    struct buffer *out = client_output(client);
    size_t before = out->len;
    if (client->flags & CLIENT_REPLY_SKIP_NEXT) {
        client->flags &= ~(unsigned)CLIENT_REPLY_SKIP_NEXT;
        client->flags |= CLIENT_REPLY_SKIP;
    }
    reply_init(&reply, out, client->resp);
    /* A reply that will close the client is not made to its end first. */
    size_t out_max = out->max, reply_max = client_reply_max(client);
    if (reply_max < out_max - before) out->max = before + reply_max;
    const struct command *row = resolve(client, &reply, prepared->command, argv, argc);
    enum dispatch_result result =
        row == NULL ? DISPATCH_DONE : dispatch_row(client, &reply, row, argv, argc, prepared);
    if (row == NULL) refused(client, &reply, prepared->command);
    out->max = out_max;
    /* Room that an earlier reply has left is taken whatever the maximum. */
    if (kn_unlikely(out->len - before > reply_max)) reply.overflow = true;
    if (reply.errors) error_stats_note(out->data + reply.error_at, out->len - reply.error_at);
    bool silent = client->flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP);
    if (silent && out->len > before && !tells_subscriptions(client, row, &reply)) out->len = before;
    /* What has to wait comes again, and its reply is skipped then. */
    if (result == DISPATCH_POSTPONED && client->flags & CLIENT_REPLY_SKIP)
        client->flags |= CLIENT_REPLY_SKIP_NEXT;
    client->flags &= ~(unsigned)CLIENT_REPLY_SKIP;
    struct buffer *pushes = &client->worker->pushes;
    if (kn_unlikely(pushes->len > 0)) {
        if (buffer_add(out, pushes->data, pushes->len) != 0) reply.overflow = true;
        pushes->len = 0;
        buffer_shrink(pushes, 0);
    }
    if (reply.overflow) close_overflown(client);
    return result;
}
