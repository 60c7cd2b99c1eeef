/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eviction by sampling, as Redis does it: a pool keeps the best candidates seen so far, each round adds a few
 * from a shard chosen by chance and takes the best. The pool knows candidates by name, since no shard is
 * held between rounds: one that is gone, or was used since, is passed over or judged anew when its turn comes.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "store/internal.h"

enum { POOL_SIZE = 16, SAMPLES_MAX = 64, NAME_KEEP_BYTES = 512, SHARDS_A_ROUND = SHARD_COUNT };

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

static uint64_t entry_score(const struct store *store, const struct entry *entry, int policy) {
    switch (policy) {
    case EVICT_ALLKEYS_LFU:
    case EVICT_VOLATILE_LFU: return 255 - store_frequency(store, entry);
    case EVICT_VOLATILE_TTL: return UINT64_MAX - (uint64_t)entry_expiry(entry);
    case EVICT_ALLKEYS_RANDOM:
    case EVICT_VOLATILE_RANDOM: return random_next();
    default: return (uint64_t)store_idle_seconds(store, entry);
    }
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
    struct evict_pool *pool;
    int policy;
    unsigned wanted, seen;
    int64_t now_ms;
    const struct candidate *victim;
    struct key victim_key;
    bool evicted;
};

/* Where few keys among very many have a lifetime, chance finds none: then the shard is gone through. */
static unsigned find_expiring(const struct table *table, void **ret_entries, unsigned most) {
    struct table_iter iter;
    unsigned found = 0;
    table_iter_init(&iter, table);
    for (void *entry = table_iter_next(&iter); entry != NULL && found < most;
         entry = table_iter_next(&iter))
        if (entry_has(entry, ENTRY_EXPIRES)) ret_entries[found++] = entry;
    return found;
}

static void sample_shard(struct shard *shard, void *context) {
    struct evict_round *round = context;
    unsigned marks = policy_is_volatile(round->policy) ? ENTRY_MARK_EXPIRES : 0;
    for (unsigned db = 0; db < shard->store->db_count; db++) {
        const struct shard_db *shard_db = &shard->dbs[db];
        void *sample[SAMPLES_MAX];
        if (marks ? shard_db->expiring == 0 : table_count(&shard_db->table) == 0) continue;
        unsigned found =
            table_sample(&shard_db->table, random_next(), marks, sample, round->wanted);
        if (found == 0 && marks) found = find_expiring(&shard_db->table, sample, round->wanted);
        for (unsigned i = 0; i < found; i++)
            pool_add(round->pool, sample[i], db,
                     entry_score(shard->store, sample[i], round->policy));
        round->seen += found;
    }
}

static void evict_victim(struct shard *shard, void *context) {
    struct evict_round *round = context;
    struct store *store = shard->store;
    unsigned db = round->victim->db;
    struct entry *entry = store_find(store, db, &round->victim_key, round->now_ms);
    if (entry == NULL || (policy_is_volatile(round->policy) && !entry_has(entry, ENTRY_EXPIRES)))
        return;
    if (entry_score(store, entry, round->policy) < round->victim->score &&
        round->policy != EVICT_ALLKEYS_RANDOM && round->policy != EVICT_VOLATILE_RANDOM)
        return; /* used since it was seen */
    store_delete(store, db, &round->victim_key, entry,
                 atomic_load_explicit(&store->limits.lazy_evict, memory_order_relaxed));
    shard->evicted++;
    round->evicted = true;
    store_changed(store, db, &round->victim_key, EVENT_EVICTED, "evicted");
}

/* Evicts one key; returns false when there is none that may go. */
static bool evict_one(struct store *store, struct evict_pool *pool, int64_t now_ms, int policy) {
    struct evict_round round = {.pool = pool, .policy = policy, .now_ms = now_ms};
    int samples = atomic_load_explicit(&store->limits.samples, memory_order_relaxed);
    round.wanted = samples < 1 ? 1 : samples > SAMPLES_MAX ? SAMPLES_MAX : (unsigned)samples;
    if (pool->policy != policy) pool->count = 0;
    pool->policy = policy;
    while (!round.evicted) {
        unsigned start = (unsigned)random_below(SHARD_COUNT);
        round.seen = 0;
        for (unsigned i = 0; i < SHARDS_A_ROUND && round.seen < round.wanted; i++)
            store_visit(store, (start + i) % SHARD_COUNT, false, sample_shard, &round);
        if (pool->count == 0) {
            if (round.seen == 0) return false;
            continue;
        }
        round.victim = pool->best[--pool->count];
        round.victim_key = key_make(bytes_make(round.victim->name, round.victim->name_len));
        store_visit(store, round.victim_key.shard, false, evict_victim, &round);
    }
    return true;
}

/* Whether memory is over its limit even once the background has freed what it was given: evicting more while it
 * works would take keys for nothing. */
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
        if (!evict_one(store, pool, now_ms, policy)) {
            /* What the background still frees counts until it is freed. */
            return background_pending(store->background) ? EVICT_MORE : EVICT_FAILED;
        }
        if (rounds % 16 == 0 && clock_mono_us() > end_us) return EVICT_MORE;
    }
    return store_over_limit(store) ? EVICT_MORE : EVICT_ENOUGH;
}
