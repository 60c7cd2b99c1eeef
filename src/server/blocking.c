/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/blocking.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/memory.h"
#include "server/aliases.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"
#include "store/admin.h"

/* A key that somebody waits for. */
struct wait_key {
    struct chain_link link; /* in its shard's list */
    unsigned db;
    uint64_t hash;
    struct chain places; /* struct wait_place, first come first */
    uint32_t any_change; /* how many of them wait for any change */
    size_t name_len;
    char name[];
};

struct wait_place {
    struct chain_link link;
    struct waiter *waiter;
    struct wait_key *key;
};

enum waiter_state { WAITER_WAITING, WAITER_SERVED, WAITER_CANCELLED };

struct waiter {
    _Atomic unsigned holders;
    enum waiter_state state; /* under the shards of its keys */
    uint64_t turn;           /* the lower, the earlier it came */
    struct client
        *client;     /* its own thread's: NULL when it is gone, which it is not while it waits */
    bool skip_reply; /* after CLIENT REPLY SKIP */
    bool overflow;   /* its reply became too large: the client is closed */
    struct worker *worker;
    struct request request; /* a copy: arguments and keys are in `memory` */
    struct shard_set shards;
    struct loop_timer timer;
    enum unblock unblock; /* what the timer does, */
    _Atomic int64_t
        retry_ms;        /* but for this: its command is to be tried again after so long; 0: not */
    int64_t deadline_us; /* by the monotonic clock; INT64_MAX: never */
    struct wait_place *places; /* one for each key it waits for */
    struct arena memory;
};

struct blocking {
    struct chain keys[SHARD_COUNT]; /* struct wait_key, under the shard's lock */
    _Atomic uint64_t last_turn;
};

/* A key that this thread's commands have changed while somebody waits for it. */
struct ready_key {
    struct ready_key *next;
    unsigned db;
    struct key key;
    char name[];
};

static _Thread_local struct ready_key *ready_first, **ready_last;

enum { BUSY_RETRY_US = 20 * 1000 };

struct blocking *blocking_new(void) {
    struct blocking *blocking = mem_zalloc(sizeof *blocking);
    for (unsigned i = 0; i < SHARD_COUNT; i++) chain_init(&blocking->keys[i]);
    return blocking;
}

void blocking_free(struct blocking *blocking) {
    mem_free(blocking);
}

static void waiter_drop(struct waiter *waiter) {
    if (atomic_fetch_sub_explicit(&waiter->holders, 1, memory_order_acq_rel) != 1) return;
    struct arena memory = waiter->memory;
    arena_done(&memory);
    mem_free(waiter);
}

/* ---- wait lists: the key's shard is held ---- */

static struct wait_key *wait_key_find(struct server *server, unsigned db, const struct key *key) {
    CHAIN_EACH(&server->blocking->keys[key->shard], struct wait_key, link, each)
    if (each->hash == key->hash && each->db == db &&
        bytes_equal(bytes_make(each->name, each->name_len), key->name))
        return each;
    return NULL;
}

/* Mostly at the end; who comes back, since names have changed, has its old place. */
static void wait_place_enter(struct chain *places, struct wait_place *place) {
    struct chain_link *behind = places->root.prev;
    while (behind != &places->root &&
           CONTAINER_OF(behind, struct wait_place, link)->waiter->turn > place->waiter->turn)
        behind = behind->prev;
    chain_insert_after(places, behind, &place->link);
}

static void wait_list_enter(struct server *server, struct waiter *waiter, struct wait_place *place,
                            const struct key *key) {
    unsigned db = waiter->request.db;
    struct wait_key *wait_key = wait_key_find(server, db, key);
    if (wait_key == NULL) {
        wait_key = mem_alloc(sizeof *wait_key + key->name.len);
        *wait_key = (struct wait_key){.db = db, .hash = key->hash, .name_len = key->name.len};
        if (key->name.len) memcpy(wait_key->name, key->name.data, key->name.len);
        chain_init(&wait_key->places);
        chain_add_last(&server->blocking->keys[key->shard], &wait_key->link);
        stats_add(STAT_BLOCKING_KEYS, 1);
    }
    *place = (struct wait_place){.waiter = waiter, .key = wait_key};
    wait_place_enter(&wait_key->places, place);
    if (waiter->request.block.any_change && wait_key->any_change++ == 0)
        stats_add(STAT_BLOCKING_KEYS_ON_NOKEY, 1);
    store_listen(server->store, key->shard, 1);
}

/* Takes a waiter out of all its lists; all its shards are held. */
static void wait_lists_leave(struct server *server, struct waiter *waiter) {
    const struct request_block *block = &waiter->request.block;
    for (uint32_t i = 0; i < block->key_count; i++) {
        struct wait_place *place = &waiter->places[i];
        unsigned shard = waiter->request.keys[block->first_key + i].key.shard;
        chain_remove(&place->key->places, &place->link);
        if (block->any_change && --place->key->any_change == 0)
            stats_add(STAT_BLOCKING_KEYS_ON_NOKEY, -1);
        store_listen(server->store, shard, -1);
        if (place->key->places.count > 0) continue;
        chain_remove(&server->blocking->keys[shard], &place->key->link);
        mem_free(place->key);
        stats_add(STAT_BLOCKING_KEYS, -1);
    }
}

/* ---- beginning to wait ---- */

/* Sets the timer to the deadline, or to the time of the next try if that comes first. */
static void waiter_set_timer(struct waiter *waiter, int64_t retry_us) {
    int64_t at_us = waiter->deadline_us;
    if (retry_us > 0 && !__builtin_add_overflow(clock_mono_us(), retry_us, &retry_us) &&
        retry_us < at_us)
        at_us = retry_us;
    if (at_us != INT64_MAX) loop_timer_set(waiter->worker->loop, &waiter->timer, at_us);
}

/* In how many microseconds it is to be tried again; 0: not. */
static int64_t waiter_retry_us(const struct waiter *waiter) {
    int64_t retry_ms = atomic_load_explicit(&waiter->retry_ms, memory_order_relaxed);
    return retry_ms > INT64_MAX / 1000 ? INT64_MAX : retry_ms * 1000;
}

enum attempt { ATTEMPT_SERVED, ATTEMPT_IN_VAIN, ATTEMPT_LATER };
static enum attempt serve_waiter(struct worker *worker, struct waiter *waiter);

/* Tries a waiter again whose time for that has come; no shard is held. */
static void waiter_retry(struct waiter *waiter) {
    struct worker *worker = waiter->worker;
    worker->now_ms = clock_realtime_ms();
    atomic_fetch_add_explicit(&waiter->holders, 1, memory_order_relaxed);
    enum attempt attempt = serve_waiter(worker, waiter);
    if (attempt != ATTEMPT_SERVED) {
        waiter_set_timer(waiter,
                         attempt == ATTEMPT_LATER ? BUSY_RETRY_US : waiter_retry_us(waiter));
        waiter_drop(waiter);
    }
    arena_reset(&worker->arena);
    if (blocking_has_ready()) blocking_serve(worker);
}

static void waiter_timer_fired(struct loop_timer *timer) {
    struct waiter *waiter = CONTAINER_OF(timer, struct waiter, timer);
    if (waiter->client == NULL) return;
    if (waiter_retry_us(waiter) > 0 && clock_mono_us() < waiter->deadline_us)
        waiter_retry(waiter);
    else
        blocking_cancel(waiter->client, waiter->unblock);
}

static void copy_request(struct waiter *waiter, const struct request *from) {
    struct request *to = &waiter->request;
    struct arena *memory = &waiter->memory;
    *to = *from;
    to->client = NULL;
    to->arena = NULL;
    to->reply = NULL;
    to->changes = 0;
    to->twins = NULL; /* adopted already, and nothing comes under legacy names again */
    to->twin_count = 0;
    to->argv = arena_alloc(memory, from->argc * sizeof *from->argv);
    for (uint32_t i = 0; i < from->argc; i++) to->argv[i] = arena_copy(memory, from->argv[i]);
    to->keys = arena_alloc(memory, from->key_count * sizeof *from->keys);
    for (uint32_t i = 0; i < from->key_count; i++) {
        to->keys[i] = from->keys[i];
        bool asked = from->keys[i].key.name.data == from->argv[from->keys[i].arg].data;
        to->keys[i].key.name =
            asked ? to->argv[from->keys[i].arg] : arena_copy(memory, from->keys[i].key.name);
    }
}

/* A waiter in the lists of its keys, whose shards are held; its time runs. */
static struct waiter *waiter_new(struct request *request, uint64_t turn) {
    struct client *client = request->client;
    struct server *server = request->server;
    struct waiter *waiter = mem_zalloc(sizeof *waiter);
    atomic_init(&waiter->holders, 1);
    waiter->client = client;
    waiter->worker = client->worker;
    waiter->timer.fire = waiter_timer_fired;
    waiter->turn = turn;
    arena_init(&waiter->memory);
    copy_request(waiter, request);
    request_add_shards(&waiter->request, &waiter->shards);
    const struct request_block *block = &waiter->request.block;
    waiter->places = arena_alloc(&waiter->memory, block->key_count * sizeof *waiter->places);
    for (uint32_t i = 0; i < block->key_count; i++)
        wait_list_enter(server, waiter, &waiter->places[i],
                        &waiter->request.keys[block->first_key + i].key);
    client->waiter = waiter;
    /* Measured from now, not from the start of the round: nobody waits less than it asked for. */
    int64_t left_us;
    if (block->deadline_ms == 0 ||
        __builtin_mul_overflow(block->deadline_ms - request->now_ms, 1000, &left_us) ||
        __builtin_add_overflow(clock_mono_us(), left_us, &waiter->deadline_us))
        waiter->deadline_us = INT64_MAX; /* never, or in hundreds of thousands of years */
    atomic_init(&waiter->retry_ms, block->retry_ms);
    waiter_set_timer(waiter, waiter_retry_us(waiter));
    return waiter;
}

void blocking_wait(struct request *request) {
    struct client *client = request->client;
    struct waiter *waiter =
        waiter_new(request, atomic_fetch_add(&request->server->blocking->last_turn, 1) + 1);
    waiter->skip_reply = client->flags & CLIENT_REPLY_SKIP;
    atomic_store_explicit(&client->shared.blocked, true, memory_order_relaxed);
    atomic_store(&client->shared.wait_turn, waiter->turn);
    stats_add(STAT_CLIENTS_BLOCKED, 1);
}

/* ---- ceasing to wait: on the client's thread ---- */

/* The client goes on with what it has sent meanwhile. */
static void client_released(struct client *client) {
    struct waiter *waiter = client->waiter;
    loop_timer_cancel(client->worker->loop, &waiter->timer);
    client->waiter = NULL;
    atomic_store_explicit(&client->shared.blocked, false, memory_order_relaxed);
    atomic_store(&client->shared.wait_turn, 0);
    stats_add(STAT_CLIENTS_BLOCKED, -1);
    client->flags |= CLIENT_PENDING_INPUT;
    waiter_drop(waiter);
}

static void count_error(struct client *client, struct bytes reply) {
    struct worker *worker = client->worker;
    if (reply.len == 0 || reply.data[0] != '-') return;
    error_stats_note(reply.data, reply.len);
    command_stats_failed_later(
        worker, command_number(worker->server->commands, client->waiter->request.command));
}

static void client_answer(struct client *client, struct bytes reply) {
    struct buffer *out = client_output(client);
    count_error(client, reply);
    bool silent = client->flags & CLIENT_REPLY_OFF || client->waiter->skip_reply;
    if (!silent && buffer_add_bytes(out, reply) != 0) client_close(client, false);
    client_released(client);
    client_output_done(client);
}

bool blocking_unblock(struct client_shared *shared, uint64_t *ret_turn) {
    uint64_t turn = atomic_load(&shared->wait_turn);
    *ret_turn = turn;
    return turn != 0 && atomic_exchange(&shared->unblocked_turn, turn) != turn;
}

void blocking_unblocked(struct client *client, uint64_t turn, enum unblock how) {
    if (client->waiter != NULL && client->waiter->turn == turn) blocking_cancel(client, how);
}

bool blocking_cancel(struct client *client, enum unblock how) {
    struct waiter *waiter = client->waiter;
    struct server *server = client->worker->server;
    if (!store_take(server->store, &waiter->shards)) {
        /* A script that runs too long has them: another try, when it may be over.
         * Who goes asks again itself. */
        if (how == UNBLOCK_SILENT) return false;
        waiter->unblock = how;
        waiter->deadline_us = 0;
        loop_timer_set(client->worker->loop, &waiter->timer, clock_mono_us() + BUSY_RETRY_US);
        return false;
    }
    bool waiting = waiter->state == WAITER_WAITING;
    if (waiting) {
        wait_lists_leave(server, waiter);
        waiter->state = WAITER_CANCELLED;
    }
    store_give(server->store, &waiter->shards);
    if (how == UNBLOCK_SILENT) {
        waiter->client = NULL; /* a reply that is on its way finds nobody */
        client_released(client);
        return true;
    }
    if (!waiting) return true; /* it was served at this very moment: its reply is on the way */
    if (how == UNBLOCK_ERROR) {
        client_answer(client, BYTES("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"));
    } else {
        bool array = waiter->request.block.null == BLOCK_NULL_ARRAY;
        client_answer(client, client->resp >= 3 ? BYTES("_\r\n")
                              : array           ? BYTES("*-1\r\n")
                                                : BYTES("$-1\r\n"));
    }
    return true;
}

/* ---- serving: on the thread of whoever changed the key ---- */

void blocking_key_changed(struct server *server, const struct shard *shard, unsigned db,
                          const struct key *key) {
    if (server->blocking->keys[shard->index].count == 0 || wait_key_find(server, db, key) == NULL)
        return;
    for (const struct ready_key *each = ready_first; each != NULL; each = each->next)
        if (each->key.hash == key->hash && each->db == db && bytes_equal(each->key.name, key->name))
            return;
    struct ready_key *ready = mem_alloc(sizeof *ready + key->name.len);
    *ready = (struct ready_key){.db = db, .key = *key};
    if (key->name.len) memcpy(ready->name, key->name.data, key->name.len);
    ready->key.name.data = ready->name;
    if (ready_first == NULL) ready_last = &ready_first;
    *ready_last = ready;
    ready_last = &ready->next;
}

void blocking_db_changed(struct server *server, unsigned db) {
    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        CHAIN_EACH(&server->blocking->keys[i], struct wait_key, link, each) {
            if (each->db != db) continue;
            struct key key = key_make(bytes_make(each->name, each->name_len));
            blocking_key_changed(server, store_shard(server->store, i), db, &key);
        }
    }
}

bool blocking_has_ready(void) {
    return ready_first != NULL;
}

struct served_mail {
    struct mail mail;
    struct waiter *waiter;
    struct buffer reply;
};

static void served_arrives(struct mail *mail) {
    struct served_mail *served = CONTAINER_OF(mail, struct served_mail, mail);
    struct client *client = served->waiter->client;
    if (client != NULL) {
        /* Half a reply is worse than none. */
        if (served->waiter->overflow) {
            stats_count(STAT_OUTPUT_LIMIT_CLOSES);
            client_close(client, false);
        }
        client_answer(client, buffer_bytes(&served->reply));
    }
    waiter_drop(served->waiter);
    buffer_done(&served->reply);
    mem_free(served);
}

/* Hands the reply to the client's thread, with the server's reference to the waiter. */
static void deliver(struct worker *worker, struct waiter *waiter, struct buffer *reply) {
    struct served_mail *served = mem_zalloc(sizeof *served);
    served->mail.deliver = served_arrives;
    served->waiter = waiter;
    served->reply = *reply;
    if (waiter->worker == worker)
        served_arrives(&served->mail);
    else
        mailbox_send(loop_mailbox(waiter->worker->loop), &served->mail);
}

/* Runs the waiter's command anew; its shards are held. Returns whether there is a reply. */
static bool waiter_try(struct worker *worker, struct waiter *waiter, struct buffer *out) {
    struct request request = waiter->request;
    struct reply reply;
    reply_init(&reply, out, waiter->request.flags & REQUEST_RESP3 ? 3 : 2);
    request.reply = &reply;
    request.arena = &worker->arena;
    request.now_ms = worker->now_ms;
    request.flags |= REQUEST_WOKEN;
    request.block.wanted = false;
    request_run(&request);
    if (request.changes) stats_add(STAT_CHANGES, (int64_t)request.changes);
    if (request.block.wanted) {
        atomic_store_explicit(&waiter->retry_ms, request.block.retry_ms, memory_order_relaxed);
        reply_rewind(&reply, 0);
        return false;
    }
    wait_lists_leave(worker->server, waiter);
    waiter->overflow = reply.overflow;
    waiter->state = WAITER_SERVED;
    return true;
}

/* The first waiter after this turn that the key, as it is now, might satisfy; with a reference.
 * behind: the place of the one tried before, where to go on if it still stands there; or NULL.
 * The key's shard is held. */
static struct wait_place *next_place(struct server *server, const struct ready_key *ready,
                                     const struct wait_place *behind, uint64_t turn,
                                     int64_t now_ms) {
    struct wait_key *wait_key = wait_key_find(server, ready->db, &ready->key);
    if (wait_key == NULL) return NULL;
    const struct entry *entry = store_find(server->store, ready->db, &ready->key, now_ms);
    if (entry == NULL && wait_key->any_change == 0) return NULL;
    const struct chain *places = &wait_key->places;
    struct chain_link *link = behind != NULL && chain_linked(&behind->link)
                                  ? chain_next(places, &behind->link)
                                  : chain_first(places);
    for (; link != NULL; link = chain_next(places, link)) {
        struct wait_place *place = CONTAINER_OF(link, struct wait_place, link);
        const struct request_block *block = &place->waiter->request.block;
        bool fits = entry != NULL && entry_type(entry) == block->type;
        if (place->waiter->turn <= turn || !(fits || block->any_change)) continue;
        atomic_fetch_add_explicit(&place->waiter->holders, 1, memory_order_relaxed);
        return place;
    }
    return NULL;
}

/* Its shards are held; so while it waits, its client is there. One that CLIENT KILL or UNBLOCK has
 * named gets nothing any more, though its thread may not have heard of it yet. */
static bool waiter_may_be_served(const struct waiter *waiter) {
    if (waiter->state != WAITER_WAITING) return false;
    /* Its keys have other names now: its own thread will see to it (blocking_follow_aliases). */
    if (waiter->request.generation != aliases_generation(waiter->request.server->aliases))
        return false;
    const struct client_shared *shared = &waiter->client->shared;
    return !atomic_load(&shared->killed) && atomic_load(&shared->unblocked_turn) != waiter->turn;
}

/* Tries one waiter, whose reference is given away when it is served. Later: a script that runs
 * too long has its shards. */
static enum attempt serve_waiter(struct worker *worker, struct waiter *waiter) {
    struct store *store = worker->server->store;
    struct buffer out;
    bool served = false;
    buffer_init(&out, (size_t)4 << 30);
    if (!store_take(store, &waiter->shards)) return ATTEMPT_LATER;
    if (waiter_may_be_served(waiter)) served = waiter_try(worker, waiter, &out);
    store_give(store, &waiter->shards);
    if (served)
        deliver(worker, waiter, &out);
    else
        buffer_done(&out);
    return served ? ATTEMPT_SERVED : ATTEMPT_IN_VAIN;
}

/* Returns false when it is to be tried again, as a script that runs too long has the shards. */
static bool serve_key(struct worker *worker, const struct ready_key *ready) {
    struct server *server = worker->server;
    struct wait_place *tried = NULL; /* with a reference to its waiter */
    uint64_t turn = 0;
    for (;;) {
        if (!store_take_one(server->store, ready->key.shard)) {
            if (tried != NULL) waiter_drop(tried->waiter);
            return false;
        }
        struct wait_place *place = next_place(server, ready, tried, turn, worker->now_ms);
        store_give_one(server->store, ready->key.shard);
        if (tried != NULL) waiter_drop(tried->waiter);
        if (place == NULL) return true;
        turn = place->waiter->turn;
        enum attempt attempt = serve_waiter(worker, place->waiter);
        if (attempt == ATTEMPT_LATER) {
            waiter_drop(place->waiter);
            return false;
        }
        tried = attempt == ATTEMPT_SERVED ? NULL : place;
    }
}

void blocking_serve(struct worker *worker) {
    if (worker->serving) return; /* what a woken command makes ready is served by the loop below */
    struct ready_key *later = NULL, **later_end = &later;
    worker->serving = true;
    while (ready_first != NULL) {
        struct ready_key *ready = ready_first;
        ready_first = ready->next;
        if (serve_key(worker, ready)) {
            mem_free(ready);
        } else {
            ready->next = NULL;
            *later_end = ready;
            later_end = &ready->next;
        }
        arena_reset(&worker->arena);
    }
    worker->serving = false;
    if (later == NULL) return;
    ready_first = later;
    ready_last = later_end;
}

/* ---- when names change ---- */

/* Runs a waiter's command anew with its keys as they are called now: it is served at once,
 * or waits for them. All its shards are held, those of both sets of keys. Returns whether
 * there is a reply in `out`. */
static bool waiter_renamed(struct worker *worker, struct waiter *waiter, struct request *request,
                           struct buffer *out) {
    struct client *client = waiter->client;
    struct reply reply;
    reply_init(&reply, out, request->flags & REQUEST_RESP3 ? 3 : 2);
    request->reply = &reply;
    request->flags |= REQUEST_WOKEN;
    request->block.wanted = false;
    request_run(request);
    wait_lists_leave(worker->server, waiter);
    if (!request->block.wanted) {
        if (request->changes) stats_add(STAT_CHANGES, (int64_t)request->changes);
        waiter->overflow = reply.overflow;
        waiter->state = WAITER_SERVED;
        return true;
    }
    reply_rewind(&reply, 0);
    waiter->state = WAITER_CANCELLED;
    request->client = client;
    request->flags &= ~(unsigned)REQUEST_WOKEN;
    loop_timer_cancel(worker->loop, &waiter->timer);
    waiter_new(request, waiter->turn)->skip_reply = waiter->skip_reply;
    waiter_drop(waiter);
    return false;
}

/* Returns false when it is to be tried again, as a script that runs too long has the shards. */
static bool follow_aliases(struct worker *worker, struct client *client) {
    struct waiter *waiter = client->waiter;
    struct server *server = worker->server;
    struct request request = waiter->request;
    struct buffer out;
    struct reply reply;
    /* Who was named by CLIENT KILL or UNBLOCK waits no more. */
    if (atomic_load(&client->shared.killed) ||
        atomic_load(&client->shared.unblocked_turn) == waiter->turn)
        return true;
    buffer_init(&out, (size_t)4 << 30);
    reply_init(&reply, &out, 2);
    request.arena = &worker->arena;
    request.reply = &reply;
    request.now_ms = worker->now_ms;
    bool done = false, served = false;
    if (request_find_keys(&request)) {
        struct shard_set set = waiter->shards;
        request_add_shards(&request, &set);
        if (store_take(server->store, &set)) {
            bool current = aliases_generation(server->aliases) == request.generation;
            if (current && waiter->state == WAITER_WAITING)
                served = waiter_renamed(worker, waiter, &request, &out);
            store_give(server->store, &set);
            done = current;
        }
    }
    if (served) {
        if (waiter->overflow) client_close(client, false);
        client_answer(client, buffer_bytes(&out));
    }
    buffer_done(&out);
    arena_reset(&worker->arena);
    return done;
}

void blocking_follow_aliases(struct worker *worker) {
    uint64_t generation = aliases_generation(worker->server->aliases);
    bool all = true;
    if (kn_likely(worker->aliases_followed == generation)) return;
    CHAIN_EACH(&worker->clients, struct client, worker_link, client)
    if (client->waiter != NULL && client->waiter->request.generation != generation)
        all = follow_aliases(worker, client) && all;
    if (all) worker->aliases_followed = generation;
}
