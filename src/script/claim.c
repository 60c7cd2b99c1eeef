/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/claim.h"

#include "script/engine.h"
#include "script/run.h"
#include "server/busy.h"
#include "server/command.h"
#include "server/dispatch.h"
#include "server/notify.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/violations.h"
#include "store/patterns.h"

bool claim_begin(struct run *run) {
    const struct request *request = run->request;
    if (request->server->worker_count == 1 || request->flags & REQUEST_ALL_SHARDS) return true;
    if (atomic_load_explicit(run->whole, memory_order_relaxed)) return false;
    run->claim.on_trial = true;
    run->claim.hits = stats_mine_of(STAT_KEYSPACE_HITS);
    run->claim.misses = stats_mine_of(STAT_KEYSPACE_MISSES);
    notify_hold();
    store_hold_counts();
    violations_hold();
    return true;
}

void claim_shards(const struct run *run, struct shard_set *ret_held) {
    const struct request *request = run->request;
    *ret_held = (struct shard_set){{0}};
    if (request->server->worker_count == 1 || request->flags & REQUEST_ALL_SHARDS)
        shard_set_fill(ret_held);
    else
        request_add_shards(request, ret_held);
}

/* From now on the run is what it is. */
static void claim_confirm(struct run *run) {
    struct claim *claim = &run->claim;
    claim->on_trial = false;
    undo_forget(&claim->undo, run->request->store);
    store_release_counts(run->request->store);
    violations_release(run->request->server->violations);
    notify_release(run->request->server);
}

/* That shards are not free is rare: debug builds give up now and then without
 * need, so that tests see it. */
static bool gives_up_for_practice(void) {
#ifdef KN_DEBUG
    static _Thread_local unsigned claims;
    return ++claims % 3 == 0;
#else
    return false;
#endif
}

/* Takes every shard, or gives up. */
static bool claim_everything(struct run *run) {
    struct claim *claim = &run->claim;
    struct request *request = run->request;
    struct shard_set held;
    claim_shards(run, &held);
    for (unsigned i = 0; i < SHARD_COUNT / 64; i++) claim->more.words[i] = ~held.words[i];
    if (gives_up_for_practice() || !store_take_more(request->store, &claim->more)) {
        claim->restart = true;
        return false;
    }
    claim->has_more = true;
    request->flags |= REQUEST_ALL_SHARDS;
    claim_confirm(run);
    if (run->slow) {
        busy_end(run->engine->worker, &run->held);
        shard_set_fill(&run->held);
        busy_begin(run->engine->worker, &run->held, (run->flags & RUN_FUNCTION) != 0);
    }
    return true;
}

static bool holds_keys_of(const struct run *run, const struct request *request) {
    struct shard_set held;
    claim_shards(run, &held);
    for (uint32_t i = 0; i < request->key_count; i++)
        if (!shard_set_has(&held, request->keys[i].key.shard)) return false;
    for (uint32_t i = 0; i < request->twin_count; i++)
        if (!shard_set_has(&held, request->twins[i].key.shard)) return false;
    return true;
}

/* What is stored under legacy names leaves them before anything is noted: to undo that would be to
 * lose it. Nobody sees a difference, so it may stay. */
static void adopt_first(struct request *request) {
    if (request->twin_count == 0) return;
    request_adopt(request, request->db);
    request->twin_count = 0;
    store_settle(request->store);
}

bool claim_command(struct run *run, struct request *request) {
    struct claim *claim = &run->claim;
    unsigned flags = request->command->flags;
    if (claim->restart) return false;
    if (!claim->on_trial) return true;
    bool everywhere =
        flags & (COMMAND_ALL_SHARDS | COMMAND_VISITS_SHARDS) || !holds_keys_of(run, request);
    bool changes = flags & (COMMAND_WRITE | COMMAND_MAY_REPLICATE);
    bool lasting = flags & COMMAND_OTHER_DB ||
                   (request->key_count == 0 && (changes || flags & COMMAND_PUBSUB));
    if (everywhere || lasting) {
        /* It will be so the next time, too. */
        atomic_store_explicit(run->whole, true, memory_order_relaxed);
    } else {
        bool noted = true;
        adopt_first(request);
        for (uint32_t i = 0; changes && noted && i < request->key_count; i++)
            noted = undo_note(&claim->undo, request->store, request->db, &request->keys[i].key,
                              request->now_ms);
        if (noted) return true;
    }
    if (!claim_everything(run)) return false;
    request->flags |= REQUEST_ALL_SHARDS;
    return true;
}

void claim_end(struct run *run) {
    struct claim *claim = &run->claim;
    struct request *request = run->request;
    if (claim->restart) {
        undo_apply(&claim->undo, request->store);
        notify_drop();
        store_drop_counts();
        violations_drop();
        stats_add(STAT_KEYSPACE_HITS, (int64_t)(claim->hits - stats_mine_of(STAT_KEYSPACE_HITS)));
        stats_add(STAT_KEYSPACE_MISSES,
                  (int64_t)(claim->misses - stats_mine_of(STAT_KEYSPACE_MISSES)));
        claim->on_trial = false;
        request->changes = 0;
        request->wants_all = true;
        return;
    }
    if (claim->on_trial) claim_confirm(run);
    if (!claim->has_more) return;
    store_give(request->store, &claim->more);
    request->flags &= ~(unsigned)REQUEST_ALL_SHARDS;
}
