/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/transaction.h"

#include "base/arena.h"
#include "base/memory.h"
#include "server/aliases.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/worker.h"

void transaction_init(struct transaction *transaction) {
    *transaction = (struct transaction){0};
    chain_init(&transaction->watches);
}

void transaction_clear(struct transaction *transaction) {
    for (uint32_t i = 0; i < transaction->count; i++) mem_free(transaction->queue[i].argv);
    mem_free(transaction->queue);
    transaction->queue = NULL;
    transaction->count = transaction->capacity = 0;
    transaction->bytes = 0;
    transaction->open = transaction->failed = false;
}

static void share_progress(struct client *client) {
    const struct transaction *transaction = &client->transaction;
    int32_t queued = transaction->open ? (int32_t)transaction->count : -1;
    atomic_store_explicit(&client->shared.queued, queued, memory_order_relaxed);
    atomic_store_explicit(&client->shared.queued_bytes, transaction->bytes, memory_order_relaxed);
}

/* One allocation: the views, then the bytes that they show. */
static struct bytes *copy_arguments(const struct bytes *argv, uint32_t argc, size_t *ret_bytes) {
    size_t size = argc * sizeof *argv;
    for (uint32_t i = 0; i < argc; i++) size += argv[i].len;
    struct bytes *copy = mem_try_alloc(size);
    if (copy == NULL) return NULL;
    char *to = (char *)(copy + argc);
    for (uint32_t i = 0; i < argc; i++) {
        copy[i] = bytes_make(to, argv[i].len);
        if (argv[i].len) memcpy(to, argv[i].data, argv[i].len);
        to += argv[i].len;
    }
    *ret_bytes = size;
    return copy;
}

void transaction_queue(struct client *client, const struct command *command,
                       const struct bytes *argv, uint32_t argc) {
    struct transaction *transaction = &client->transaction;
    size_t bytes = 0;
    /* What cannot run in the end is not kept: EXEC will refuse anyway. */
    if (transaction->failed || atomic_load(&transaction->dirty)) return;
    if (transaction->count == transaction->capacity) {
        uint32_t capacity = transaction->capacity ? transaction->capacity * 2 : 4;
        void *queue = mem_try_realloc(transaction->queue, capacity * sizeof *transaction->queue);
        if (queue == NULL) {
            transaction->failed = true;
            return;
        }
        transaction->queue = queue;
        transaction->capacity = capacity;
    }
    struct bytes *copy = copy_arguments(argv, argc, &bytes);
    if (copy == NULL || transaction->count >= TRANSACTION_COMMANDS_MAX) {
        mem_free(copy);
        transaction->failed = true;
        return;
    }
    transaction->queue[transaction->count++] =
        (struct queued_command){.command = command, .argv = copy, .argc = argc, .bytes = bytes};
    transaction->bytes += bytes + sizeof *transaction->queue;
    share_progress(client);
}

/* ---- EXEC ---- */

static void watched_shards(const struct transaction *transaction, struct shard_set *set);
static bool watched_key_expired(struct client *client, int64_t now_ms);

/* Requests for the queue, with their keys. NULL when there is no memory. */
static struct request *prepare_queue(const struct request *exec, struct shard_set *set,
                                     bool *ret_all) {
    const struct transaction *transaction = &exec->client->transaction;
    struct request *requests = arena_try_array(exec->arena, transaction->count, sizeof *requests);
    if (requests == NULL && transaction->count > 0) return NULL;
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct queued_command *queued = &transaction->queue[i];
        struct request *request = &requests[i];
        *request = *exec;
        request->argv = queued->argv;
        request->argc = queued->argc;
        request->command = queued->command;
        request->flags |= REQUEST_NO_BLOCK;
        if (!request_find_keys(request)) return NULL;
        request_add_shards(request, set);
        if (queued->command->flags &
            (COMMAND_ALL_SHARDS | COMMAND_VISITS_SHARDS | COMMAND_RUNS_SCRIPT))
            *ret_all = true;
    }
    return requests;
}

static void run_queue(struct request *exec, struct request *requests, bool all) {
    struct client *client = exec->client;
    struct server *server = exec->server;
    uint32_t count = client->transaction.count;
    /* A queued command may end the transaction's client, never its queue. */
    reply_array(exec->reply, count);
    for (uint32_t i = 0; i < count; i++) {
        struct request *request = &requests[i];
        uint32_t errors = exec->reply->errors;
        request->db = client->db;
        if (all) request->flags |= REQUEST_ALL_SHARDS;
        request_run(request);
        exec->changes += request->changes;
        bool failed = exec->reply->errors != errors;
        if (failed) {
            const struct buffer *out = exec->reply->out;
            error_stats_note(out->data + exec->reply->error_at, out->len - exec->reply->error_at);
        }
        command_stats_called(client->worker, command_number(server->commands, request->command),
                             failed);
    }
    /* They are counted, each under its command: EXEC itself did not fail. */
    exec->reply->errors = 0;
}

void transaction_end(struct client *client) {
    transaction_clear(&client->transaction);
    watch_clear(client);
    share_progress(client);
}

/* Whether all keys are still called what they were when they were found. A shard is
 * held, if there are keys. */
static bool names_hold(const struct request *exec, const struct request *requests) {
    uint64_t generation = aliases_generation(exec->server->aliases);
    for (uint32_t i = 0; i < exec->client->transaction.count; i++)
        if (requests[i].key_count > 0 && requests[i].generation != generation) return false;
    return true;
}

void transaction_exec(struct request *request) {
    struct client *client = request->client;
    struct transaction *transaction = &client->transaction;
    struct shard_set set = {{0}};
    bool all = false;
    if (!transaction->open) {
        reply_error(request->reply, "ERR EXEC without MULTI");
        return;
    }
    if (transaction->failed) {
        transaction_end(client);
        reply_error(request->reply, "EXECABORT Transaction discarded because of previous errors.");
        return;
    }
    watched_shards(transaction, &set);
    struct request *requests = prepare_queue(request, &set, &all);
    if (requests == NULL && transaction->count > 0) {
        transaction_end(client);
        if (request->reply->errors == 0) reply_error_code(request->reply, ERROR_NO_MEMORY);
        return;
    }
    if (all) shard_set_fill(&set);
    for (;;) {
        if (!store_take(request->store, &set)) {
            /* A refused EXEC is over; the reply is dispatch's. */
            request->busy = true;
            return;
        }
        if (names_hold(request, requests)) break;
        /* Catalogs were replaced meanwhile. With their shards found anew, and those
         * before, which do no harm. */
        store_give(request->store, &set);
        requests = prepare_queue(request, &set, &all);
        if (requests == NULL) {
            transaction_end(client);
            if (request->reply->errors == 0) reply_error_code(request->reply, ERROR_NO_MEMORY);
            return;
        }
    }
    if (atomic_load(&transaction->dirty) || watched_key_expired(client, request->now_ms))
        reply_null_array(request->reply);
    else
        run_queue(request, requests, all);
    store_give(request->store, &set);
    transaction_end(client);
}

/* ---- watching ---- */

/* A list has a lock of its own, taken within its shard's or without it: a client that goes, or
 * unwatches, must not wait for whoever holds the shard. */
struct watching {
    struct watch_list {
        struct lock lock;
        struct chain watches;
    } of[SHARD_COUNT];
};

struct watch {
    struct chain_link client_link, shard_link;
    struct client *client;
    unsigned db;
    struct key key;
    char name[];
};

/* This thread has a list's lock while it looks at keys, which expire under its eyes. */
static _Thread_local bool walking;

struct watching *watching_new(void) {
    struct watching *watching = mem_zalloc(sizeof *watching);
    for (unsigned i = 0; i < SHARD_COUNT; i++) chain_init(&watching->of[i].watches);
    return watching;
}

void watching_free(struct watching *watching) {
    mem_free(watching);
}

void watch_add(struct client *client, unsigned db, const struct key *key, int64_t now_ms) {
    struct server *server = client->worker->server;
    struct transaction *transaction = &client->transaction;
    CHAIN_EACH(&transaction->watches, struct watch, client_link, each)
    if (each->db == db && each->key.hash == key->hash && bytes_equal(each->key.name, key->name))
        return;
    struct watch *watch = mem_alloc(sizeof *watch + key->name.len);
    *watch = (struct watch){.client = client, .db = db, .key = *key};
    if (key->name.len) memcpy(watch->name, key->name.data, key->name.len);
    watch->key.name.data = watch->name;
    /* An expired key is deleted by looking at it, which the watch is not there yet to see. */
    (void)store_find(server->store, db, key, now_ms);
    chain_add_last(&transaction->watches, &watch->client_link);
    struct watch_list *list = &server->watching->of[key->shard];
    lock_take(&list->lock);
    chain_add_last(&list->watches, &watch->shard_link);
    lock_give(&list->lock);
    store_listen(server->store, key->shard, 1);
    atomic_store_explicit(&client->shared.watched, (uint32_t)transaction->watches.count,
                          memory_order_relaxed);
}

void watch_clear(struct client *client) {
    struct server *server = client->worker->server;
    struct transaction *transaction = &client->transaction;
    CHAIN_EACH(&transaction->watches, struct watch, client_link, watch) {
        unsigned shard = watch->key.shard;
        struct watch_list *list = &server->watching->of[shard];
        lock_take(&list->lock);
        chain_remove(&list->watches, &watch->shard_link);
        lock_give(&list->lock);
        store_listen(server->store, shard, -1);
        chain_remove(&transaction->watches, &watch->client_link);
        mem_free(watch);
    }
    /* No shard has a watch of this client any more, so nobody sets this now. */
    atomic_store(&transaction->dirty, false);
    atomic_store_explicit(&client->shared.watched, 0, memory_order_relaxed);
}

void watch_key_changed(struct server *server, const struct shard *shard, unsigned db,
                       const struct key *key) {
    struct watch_list *list = &server->watching->of[shard->index];
    if (!walking) lock_take(&list->lock);
    CHAIN_EACH(&list->watches, struct watch, shard_link, watch)
    if (watch->key.hash == key->hash && watch->db == db && bytes_equal(watch->key.name, key->name))
        atomic_store(&watch->client->transaction.dirty, true);
    if (!walking) lock_give(&list->lock);
}

void watch_db_changes(struct server *server, int db, int or_db, int64_t now_ms) {
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) {
        struct watch_list *list = &server->watching->of[shard];
        lock_take(&list->lock);
        walking = true;
        CHAIN_EACH(&list->watches, struct watch, shard_link, watch) {
            bool concerned =
                db < 0 || watch->db == (unsigned)db || (or_db >= 0 && watch->db == (unsigned)or_db);
            if (!concerned) continue;
            bool there = store_find(server->store, watch->db, &watch->key, now_ms) != NULL;
            if (or_db >= 0) {
                unsigned other = watch->db == (unsigned)db ? (unsigned)or_db : (unsigned)db;
                there |= store_find(server->store, other, &watch->key, now_ms) != NULL;
            }
            if (there) atomic_store(&watch->client->transaction.dirty, true);
        }
        walking = false;
        lock_give(&list->lock);
    }
}

void watch_all_changed(struct server *server) {
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) {
        struct watch_list *list = &server->watching->of[shard];
        lock_take(&list->lock);
        CHAIN_EACH(&list->watches, struct watch, shard_link, watch)
        atomic_store(&watch->client->transaction.dirty, true);
        lock_give(&list->lock);
    }
}

static void watched_shards(const struct transaction *transaction, struct shard_set *set) {
    CHAIN_EACH(&transaction->watches, struct watch, client_link, watch)
    shard_set_add(set, watch->key.shard);
}

/* Looking at a key that has expired deletes it, and that is a change like any other. */
static bool watched_key_expired(struct client *client, int64_t now_ms) {
    struct server *server = client->worker->server;
    CHAIN_EACH(&client->transaction.watches, struct watch, client_link, watch)
    (void)store_find(server->store, watch->db, &watch->key, now_ms);
    return atomic_load(&client->transaction.dirty);
}
