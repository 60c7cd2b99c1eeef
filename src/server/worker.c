/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/aliases.h"
#include "server/blocking.h"
#include "server/client.h"
#include "server/guard_owed.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/crash.h"
#include "server/pause.h"
#include "server/server.h"
#include "server/stats.h"
#include "store/admin.h"
#include "store/patterns.h"
#include "store/key.h"
#include "store/shard.h"

enum {
    CRON_US = 100 * 1000,
    TICK_US = 1000 * 1000,
    SWEEP_BUDGET_US = 20 * 1000, /* of every round of cron: a fifth of the processor at most */
    SWEEP_SLOTS = 1024,
    EVICT_BUDGET_US = 20 * 1000,
    SHARED_IN_BYTES = 64 * 1024,
    PAUSE_LOOK_MS = 3600 * 1000,
    MAIL_LOOK_US = 1000,
};

static _Thread_local struct worker *current_worker;

struct worker *worker_current(void) {
    return current_worker;
}

struct posted {
    struct mail mail;
    struct worker *worker;
    void (*run)(struct worker *worker, void *payload);
    _Alignas(16) char payload[];
};

static void posted_arrives(struct mail *mail) {
    struct posted *posted = CONTAINER_OF(mail, struct posted, mail);
    posted->run(posted->worker, posted->payload);
    mem_free(posted);
}

void worker_post(struct worker *worker, void (*run)(struct worker *worker, void *payload),
                 const void *payload, size_t size) {
    struct posted *posted = mem_zalloc(sizeof *posted + size);
    posted->mail.deliver = posted_arrives;
    posted->worker = worker;
    posted->run = run;
    if (size) memcpy(posted->payload, payload, size);
    mailbox_send(loop_mailbox(worker->loop), &posted->mail);
}

struct client *worker_find_client(struct worker *worker, uint64_t id) {
    CHAIN_EACH(&worker->clients, struct client, worker_link, client)
    if (client->id == id) return client;
    return NULL;
}

/* ---- before the loop sleeps ---- */

/* The client whose script runs is left alone while it does; and one that goes while it waits for
 * keys that a script holds goes when it has given them back. */
static bool must_wait(struct worker *worker, struct client *client) {
    return client == worker->busy_client ||
           (client->flags & CLIENT_CLOSING && client->waiter != NULL &&
            store_is_busy(worker->server->store) && !blocking_cancel(client, UNBLOCK_SILENT));
}

static bool worker_before_sleep(void *context) {
    struct worker *worker = context;
    size_t due = worker->to_flush.count, kept = 0;
    while (due-- > 0) {
        struct chain_link *link = chain_pop_first(&worker->to_flush);
        if (link == NULL) break;
        struct client *client = CONTAINER_OF(link, struct client, flush_link);
        if (kn_unlikely(must_wait(worker, client))) {
            chain_add_last(&worker->to_flush, &client->flush_link);
            kept++;
            continue;
        }
        if (client->flags & CLIENT_PENDING_INPUT && !(client->flags & CLIENT_CLOSING)) {
            client->flags &= ~(unsigned)CLIENT_PENDING_INPUT;
            client_resume(client);
        }
        if (!(client->flags & CLIENT_CLOSING)) client_flush(client);
        if (client->flags & CLIENT_CLOSING) client_destroy(client);
    }
    return worker->to_flush.count > kept;
}

void worker_flush(struct worker *worker) {
    (void)worker_before_sleep(worker);
}

static bool end_round(void *context) {
    const struct worker *worker = context;
    stats_add(STAT_ROUNDS, 1);
    stats_add(STAT_ROUNDS_US, loop_take_worked_us(worker->loop));
    return worker_before_sleep(context);
}

/* ---- cron ---- */

static void sweep_own_shards(struct worker *worker) {
    struct server *server = worker->server;
    int64_t start_us = clock_mono_us(), now_ms = clock_realtime_ms();
    for (unsigned looked = 0; looked < SHARD_COUNT; looked += server->worker_count) {
        unsigned shard = worker->sweep_next;
        bool more = store_sweep(server->store, shard, now_ms, SWEEP_SLOTS);
        if (clock_mono_us() - start_us > SWEEP_BUDGET_US) {
            stats_add(STAT_EXPIRED_TIME_CAP, 1);
            break;
        }
        if (more) continue;
        worker->sweep_next = shard + server->worker_count < SHARD_COUNT
                                 ? shard + server->worker_count
                                 : worker->index;
    }
    stats_add(STAT_EXPIRE_CYCLE_US, clock_mono_us() - start_us);
}

static void check_idle(struct worker *worker, struct client *client) {
    int64_t timeout_s =
        atomic_load_explicit(&worker->server->limits.idle_timeout_s, memory_order_relaxed);
    int64_t idle_ms =
        worker->now_ms - atomic_load_explicit(&client->shared.active_ms, memory_order_relaxed);
    bool waits = client->waiter != NULL || client->subscriptions.of[TOPIC_CHANNEL].count ||
                 client->subscriptions.of[TOPIC_PATTERN].count ||
                 client->subscriptions.of[TOPIC_SHARD].count;
    if (timeout_s == 0 || waits || idle_ms <= timeout_s * 1000) return;
    log_verbose("Closing idle client %llu", (unsigned long long)client->id);
    client_close(client, false);
}

/* Looks at a tenth of the clients, the longest unseen first. */
static void check_clients(struct worker *worker) {
    size_t some = worker->clients.count / 10 + 1;
    while (some-- > 0) {
        struct chain_link *link = chain_pop_first(&worker->clients);
        if (link == NULL) return;
        chain_add_last(&worker->clients, link);
        struct client *client = CONTAINER_OF(link, struct client, worker_link);
        if (client->flags & CLIENT_CLOSING) continue;
        check_idle(worker, client);
        if (client->out.len > client->out_sent) client_output_done(client);
    }
}

/* Likewise for keys under legacy names; whether some are to be moved yet. */
static bool look_for_legacy_names(struct worker *worker) {
    enum { STEPS = 32, STEP_ENTRIES = 64, STEP_US = 250 };
    int64_t start_us = clock_mono_us();
    bool more = false;
    for (unsigned i = 0; i < STEPS && clock_mono_us() - start_us <= STEP_US; i++)
        more = aliases_migrate_step(worker->server, STEP_ENTRIES);
    return more;
}

/* Slowly when there is nothing to settle; else a quarter of the time, in
 * steps that nobody notices. */
static void worker_census(struct loop_timer *timer) {
    enum { IDLE_US = 100 * 1000, IDLE_ENTRIES = 2000, STEP_US = 250, STEP_ENTRIES = 64 };
    struct worker *worker = CONTAINER_OF(timer, struct worker, census);
    struct store *store = worker->server->store;
    int64_t start_us = clock_mono_us(), pause_us = IDLE_US;
    if (start_us - worker->ticked_us >= TICK_US) {
        store_pattern_tick(store, (start_us - worker->ticked_us) / 1000);
        worker->ticked_us = start_us;
    }
    bool more = store_census_step(store, STEP_ENTRIES);
    for (unsigned looked = STEP_ENTRIES; more || looked < IDLE_ENTRIES; looked += STEP_ENTRIES) {
        if (clock_mono_us() - start_us > STEP_US) break;
        more = store_census_step(store, STEP_ENTRIES);
    }
    more |= look_for_legacy_names(worker);
    if (blocking_has_ready()) blocking_serve(worker);
    if (more) pause_us = 3 * (clock_mono_us() - start_us);
    loop_timer_set(worker->loop, &worker->census, clock_mono_us() + pause_us);
}

static void worker_cron(struct loop_timer *timer) {
    struct worker *worker = CONTAINER_OF(timer, struct worker, cron);
    struct server *server = worker->server;
    /* Nothing in the keyspace moves under a script that runs. */
    if (worker->busy_client != NULL) {
        loop_timer_set(worker->loop, &worker->cron, clock_mono_us() + CRON_US);
        return;
    }
    worker->now_ms = clock_realtime_ms();
    store_note_time(server->store, worker->now_ms);
    bool paused = pause_is_on(server->pause, worker->now_ms);
    if (!paused) sweep_own_shards(worker);
    guard_owed_settle(worker);
    blocking_follow_aliases(worker);
    check_clients(worker);
    if (worker->index == 0) {
        stats_sample(clock_mono_us());
        memory_note_peak();
        if (!paused && store_over_limit(server->store))
            store_evict(server->store, worker->evict_pool, worker->now_ms, EVICT_BUDGET_US);
    }
    if (blocking_has_ready()) blocking_serve(worker);
    worker->cron_rounds++;
    loop_timer_set(worker->loop, &worker->cron, clock_mono_us() + CRON_US);
}

/* ---- pause ---- */

static void pause_is_over(struct loop_timer *timer) {
    struct worker *worker = CONTAINER_OF(timer, struct worker, pause_over);
    worker->now_ms = clock_realtime_ms();
    if (pause_is_on(worker->server->pause, worker->now_ms)) worker_watch_pause(worker);
    /* Those whom what is left of the pause concerns are held again when
     * their commands are tried. */
    CHAIN_EACH(&worker->clients, struct client, worker_link, client) {
        if (!(client->flags & CLIENT_PAUSED)) continue;
        pause_release(client);
        client_go_on(client);
    }
}

static void mail_is_taken(struct loop_timer *timer) {
    struct worker *worker = CONTAINER_OF(timer, struct worker, mail_taken);
    if (pubsub_is_ahead(worker->server->pubsub)) {
        worker_watch_mail(worker);
        return;
    }
    CHAIN_EACH(&worker->clients, struct client, worker_link, client) {
        if (!(client->flags & CLIENT_AHEAD)) continue;
        client->flags &= ~(unsigned)CLIENT_AHEAD;
        client_go_on(client);
    }
}

void worker_watch_mail(struct worker *worker) {
    loop_timer_set(worker->loop, &worker->mail_taken, clock_mono_us() + MAIL_LOOK_US);
}

void worker_watch_pause(struct worker *worker) {
    int64_t now_ms = clock_realtime_ms();
    int64_t left_ms = pause_next_ms(worker->server->pause, now_ms) - now_ms;
    /* A pause may be longer than microseconds can say: then it is looked at again in an hour. */
    if (left_ms > PAUSE_LOOK_MS) left_ms = PAUSE_LOOK_MS;
    int64_t left_us = left_ms > 0 ? left_ms * 1000 + 1000 : 0;
    loop_timer_set(worker->loop, &worker->pause_over, clock_mono_us() + left_us);
}

/* ---- life ---- */

struct worker *worker_new(struct server *server, unsigned index) {
    struct worker *worker = mem_zalloc(sizeof *worker);
    worker->server = server;
    worker->index = worker->sweep_next = index;
    worker->loop = loop_new();
    if (worker->loop == NULL) {
        mem_free(worker);
        return NULL;
    }
    worker->cron.fire = worker_cron;
    worker->census.fire = worker_census;
    worker->pause_over.fire = pause_is_over;
    worker->mail_taken.fire = mail_is_taken;
    chain_init(&worker->clients);
    chain_init(&worker->to_flush);
    buffer_init(&worker->in, SHARED_IN_BYTES);
    buffer_init(&worker->out, server->limits.output_max_bytes);
    buffer_init(&worker->pushes, server->limits.output_max_bytes);
    parser_batch_init(&worker->batch);
    arena_init(&worker->arena);
    worker->evict_pool = evict_pool_new();
    worker->owed = guard_owed_new();
    worker->pubsub = pubsub_local_new();
    worker->command_stats = command_stats_new(command_count(server->commands));
    return worker;
}

void worker_free(struct worker *worker) {
    current_worker = worker;
    /* Connections that were being handed over become clients, to be ended like the others. */
    mailbox_drain(loop_mailbox(worker->loop));
    CHAIN_EACH(&worker->clients, struct client, worker_link, client) {
        client_flush(client);
        client_destroy(client);
    }
    mailbox_drain(loop_mailbox(worker->loop));
    current_worker = NULL;
    loop_free(worker->loop);
    buffer_done(&worker->in);
    buffer_done(&worker->out);
    buffer_done(&worker->pushes);
    parser_batch_done(&worker->batch);
    arena_done(&worker->arena);
    evict_pool_free(worker->evict_pool);
    guard_owed_free(worker->owed);
    pubsub_local_free(worker->pubsub);
    command_stats_free(worker->command_stats);
    mem_free(worker);
}

void worker_run(struct worker *worker) {
    current_worker = worker;
    bool joined = crash_join_thread();
    worker->now_ms = clock_realtime_ms();
    loop_set_before_sleep(worker->loop, end_round, worker);
    loop_timer_set(worker->loop, &worker->cron, clock_mono_us() + CRON_US);
    if (worker->index == 0)
        loop_timer_set(worker->loop, &worker->census, clock_mono_us() + CRON_US);
    loop_run(worker->loop);
    worker_before_sleep(worker);
    aliases_leave();
    current_worker = NULL;
    if (joined) crash_leave_thread();
}
