/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eviction by sampling, as Redis does it: a pool keeps the best candidates seen so far, each round
 * adds a few from a shard chosen by chance and takes the best. The pool knows candidates by name,
 * since no shard is held between rounds: one that is gone, or was used since, is passed over or
 * judged anew when its turn comes.
 *
 * The catalog has its say: keys of class "never" are no candidates, those of class "cache" go
 * before all others. Where few keys may go among very many that may not, chance finds none; then
 * the keyspace is searched in order, from where the last search ended and for as long as the caller
 * has time, before a write is refused.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "store/patterns_inside.h"

enum { POOL_SIZE = 16, SAMPLES_MAX = 64, NAME_KEEP_BYTES = 512, SHARDS_A_ROUND = SHARD_COUNT };
enum { SEARCH_STEP = 1024, NOTHING_FOUND_MS = 250 };
#define SCORE_CACHE (UINT64_C(1) << 63)

struct candidate {
    uint64_t score; /* the higher, the rather it goes */
    unsigned db;
    size_t name_len, name_cap;
    char *name;
};

struct evict_pool {
    struct candidate *best[POOL_SIZE]; /* ascending scores */
    unsigned count;
    int policy; /* that the scores were made for */
    struct candidate storage[POOL_SIZE];
    /* The search in order. */
    unsigned shard, db, shards_without; /* shards gone through since one had a candidate */
    uint64_t cursor;
    int64_t nothing_until_ms; /* a search found nothing: it would not now either */
};

struct evict_pool *evict_pool_new(void) {
    struct evict_pool *pool = mem_zalloc(sizeof *pool);
    for (unsigned i = 0; i < POOL_SIZE; i++) pool->best[i] = &pool->storage[i];
    return pool;
}

void evict_pool_free(struct evict_pool *pool) {
    for (unsigned i = 0; i < POOL_SIZE; i++) mem_free(pool->storage[i].name);
    mem_free(pool);
}

static bool policy_is_volatile(int policy) {
    return policy >= EVICT_VOLATILE_LRU;
}

bool store_over_limit(struct store *store) {
    uint64_t limit = atomic_load_explicit(&store->limits.max_memory, memory_order_relaxed);
    return limit != 0 && memory_used() > limit;
}

static enum eviction_class class_of(const struct store *store, unsigned db,
                                    const struct entry *entry) {
    const struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) return EVICTION_NORMAL;
    uint16_t id = entry->pattern;
    if (patterns->state[id] == ID_DEAD) return EVICTION_CACHE;
    if (patterns->state[id] != ID_LIVE) id = store_pattern_id(store, db, entry_key(entry));
    return patterns->ids[id].eviction;
}

static uint64_t policy_score(const struct store *store, const struct entry *entry, int policy) {
    switch (policy) {
    case EVICT_ALLKEYS_LFU:
    case EVICT_VOLATILE_LFU: return 255 - store_frequency(store, entry);
    case EVICT_VOLATILE_TTL: return INT64_MAX - (uint64_t)entry_expiry(entry);
    case EVICT_ALLKEYS_RANDOM:
    case EVICT_VOLATILE_RANDOM: return random_next() >> 1;
    default: return (uint64_t)store_idle_seconds(store, entry);
    }
}

/* False when it may not go. */
static bool entry_score(const struct store *store, unsigned db, const struct entry *entry,
                        int policy, uint64_t *ret_score) {
    if (policy_is_volatile(policy) && !entry_has(entry, ENTRY_EXPIRES)) return false;
    enum eviction_class class = class_of(store, db, entry);
    if (class == EVICTION_NEVER) return false;
    *ret_score = policy_score(store, entry, policy) | (class == EVICTION_CACHE ? SCORE_CACHE : 0);
    return true;
}

static void pool_add(struct evict_pool *pool, const struct entry *entry, unsigned db,
                     uint64_t score) {
    struct bytes name = entry_key(entry);
    unsigned place = pool->count;
    if (pool->count == POOL_SIZE && score <= pool->best[0]->score) return;
    while (place > 0 && pool->best[place - 1]->score > score) place--;
    struct candidate *slot;
    if (pool->count < POOL_SIZE) {
        slot = pool->best[pool->count];
        memmove(&pool->best[place + 1], &pool->best[place], (pool->count - place) * sizeof slot);
        pool->count++;
    } else {
        place--;
        slot = pool->best[0];
        memmove(&pool->best[0], &pool->best[1], place * sizeof slot);
    }
    pool->best[place] = slot;
    slot->score = score;
    slot->db = db;
    if (name.len > slot->name_cap || slot->name_cap > NAME_KEEP_BYTES) {
        slot->name_cap = name.len > NAME_KEEP_BYTES ? name.len : NAME_KEEP_BYTES;
        mem_free(slot->name);
        slot->name = mem_alloc(slot->name_cap);
    }
    slot->name_len = name.len;
    if (name.len) memcpy(slot->name, name.data, name.len);
}

struct evict_round {
    struct store *store;
    struct evict_pool *pool;
    int policy;
    unsigned wanted, seen, looked_at;
    bool any; /* there are keys that the policy looks at */
    int64_t now_ms;
    const struct candidate *victim;
    struct key victim_key;
    bool evicted;
};

static void sample_shard(struct shard *shard, void *context) {
    struct evict_round *round = context;
    unsigned marks = policy_is_volatile(round->policy) ? ENTRY_MARK_EXPIRES : 0;
    for (unsigned db = 0; db < shard->store->db_count; db++) {
        const struct shard_db *shard_db = &shard->dbs[db];
        void *sample[SAMPLES_MAX];
        uint64_t score;
        if (marks ? shard_db->expiring == 0 : table_count(&shard_db->table) == 0) continue;
        round->any = true;
        unsigned found =
            table_sample(&shard_db->table, random_next(), marks, sample, round->wanted);
        for (unsigned i = 0; i < found; i++) {
            if (!entry_score(shard->store, db, sample[i], round->policy, &score)) continue;
            pool_add(round->pool, sample[i], db, score);
            round->seen++;
        }
    }
}

static void search_visit(void *element, void *context) {
    struct evict_round *round = context;
    uint64_t score;
    round->looked_at++;
    if (!entry_score(round->store, round->pool->db, element, round->policy, &score)) return;
    pool_add(round->pool, element, round->pool->db, score);
    round->pool->shards_without = 0;
}

static void search_shard(struct shard *shard, void *context) {
    struct evict_round *round = context;
    struct evict_pool *pool = round->pool;
    bool volatile_only = policy_is_volatile(round->policy);
    for (round->looked_at = 0; round->looked_at < SEARCH_STEP && pool->count < POOL_SIZE;) {
        const struct shard_db *shard_db = &shard->dbs[pool->db];
        bool empty = volatile_only ? shard_db->expiring == 0 : table_count(&shard_db->table) == 0;
        pool->cursor = empty ? 0 : table_scan(&shard_db->table, pool->cursor, search_visit, round);
        round->looked_at++;
        if (pool->cursor != 0 || ++pool->db < shard->store->db_count) continue;
        pool->db = 0;
        pool->shard = (pool->shard + 1) % SHARD_COUNT;
        pool->shards_without++;
        return;
    }
}

static enum evict_result search_in_order(struct evict_round *round, int64_t end_us) {
    struct evict_pool *pool = round->pool;
    while (pool->count == 0) {
        (void)store_visit(round->store, pool->shard, false, search_shard, round);
        if (pool->count == 0 && pool->shards_without > SHARD_COUNT) {
            pool->shards_without = 0;
            pool->nothing_until_ms = round->now_ms + NOTHING_FOUND_MS;
            return EVICT_FAILED;
        }
        if (pool->count == 0 && clock_mono_us() > end_us) return EVICT_MORE;
    }
    return EVICT_ENOUGH;
}

static void evict_victim(struct shard *shard, void *context) {
    struct evict_round *round = context;
    struct store *store = shard->store;
    unsigned db = round->victim->db;
    uint64_t score;
    struct entry *entry = store_find(store, db, &round->victim_key, round->now_ms);
    if (entry == NULL || !entry_score(store, db, entry, round->policy, &score)) return;
    if (score < round->victim->score && round->policy != EVICT_ALLKEYS_RANDOM &&
        round->policy != EVICT_VOLATILE_RANDOM)
        return; /* used since it was seen */
    if (store_counts_patterns(store)) store_count(store, entry->pattern, TALLY_EVICTED);
    store_delete(store, db, &round->victim_key, entry,
                 atomic_load_explicit(&store->limits.lazy_evict, memory_order_relaxed));
    shard->evicted++;
    round->evicted = true;
    store_changed(store, db, &round->victim_key, EVENT_EVICTED, "evicted");
}

/* Evicts one key. EVICT_MORE: the time was up before one was found; EVICT_FAILED: none may go. */
static enum evict_result evict_one(struct store *store, struct evict_pool *pool, int64_t now_ms,
                                   int policy, int64_t end_us) {
    struct evict_round round = {.store = store, .pool = pool, .policy = policy, .now_ms = now_ms};
    int samples = atomic_load_explicit(&store->limits.samples, memory_order_relaxed);
    round.wanted = samples < 1 ? 1 : samples > SAMPLES_MAX ? SAMPLES_MAX : (unsigned)samples;
    if (pool->policy != policy) pool->count = 0, pool->nothing_until_ms = 0;
    pool->policy = policy;
    if (now_ms < pool->nothing_until_ms) return EVICT_FAILED;
    while (!round.evicted) {
        unsigned start = (unsigned)random_below(SHARD_COUNT);
        round.seen = 0;
        for (unsigned i = 0; i < SHARDS_A_ROUND && round.seen < round.wanted; i++)
            (void)store_visit(store, (start + i) % SHARD_COUNT, false, sample_shard, &round);
        if (pool->count == 0 && !round.any) return EVICT_FAILED;
        if (pool->count == 0) {
            enum evict_result found = search_in_order(&round, end_us);
            if (found != EVICT_ENOUGH) return found;
        }
        round.victim = pool->best[--pool->count];
        round.victim_key = key_make(bytes_make(round.victim->name, round.victim->name_len));
        (void)store_visit(store, round.victim_key.shard, false, evict_victim, &round);
    }
    return EVICT_ENOUGH;
}

/* Whether memory is over its limit even once the background has freed what it was given: evicting
 * more while it works would take keys for nothing. */
static bool over_after_background(struct store *store) {
    uint64_t limit = atomic_load_explicit(&store->limits.max_memory, memory_order_relaxed);
    return limit != 0 && memory_used() > limit + background_pending_bytes(store->background);
}

enum evict_result store_evict(struct store *store, struct evict_pool *pool, int64_t now_ms,
                              int64_t budget_us) {
    if (!store_over_limit(store)) return EVICT_ENOUGH;
    int policy = atomic_load_explicit(&store->limits.policy, memory_order_relaxed);
    if (policy == EVICT_NONE) return EVICT_FAILED;
    int64_t end_us = clock_mono_us() + budget_us;
    for (unsigned rounds = 1; over_after_background(store); rounds++) {
        enum evict_result result = evict_one(store, pool, now_ms, policy, end_us);
        /* What the background still frees counts until it is freed. */
        if (result == EVICT_FAILED && background_pending(store->background)) return EVICT_MORE;
        if (result != EVICT_ENOUGH) return result;
        if (rounds % 16 == 0 && clock_mono_us() > end_us) return EVICT_MORE;
    }
    return store_over_limit(store) ? EVICT_MORE : EVICT_ENOUGH;
}
