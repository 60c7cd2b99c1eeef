/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole databases: emptied, swapped, counted. Counts are added up shard by shard.
 */
#include "base/heap.h"
#include "base/random.h"
#include "store/patterns_inside.h"

static size_t shard_flush(struct store *store, struct shard *shard, unsigned db, bool lazy) {
    struct shard_db *shard_db = &shard->dbs[db];
    size_t keys = table_count(&shard_db->table);
    if (keys == 0) {
        table_done(&shard_db->table); /* what deletions left of it */
        return 0;
    }
    struct table old = shard_db->table;
    table_init(&shard_db->table, entry_hash);
    shard_db->expiring = 0;
    shard_db->sweep_from = 0;
    if (lazy)
        background_free_table(store->background, &old);
    else
        table_free_entries(&old, shard->heap);
    return keys;
}

size_t store_flush(struct store *store, int db, bool lazy) {
    size_t keys = 0;
    for (unsigned each = 0; each < store->db_count; each++)
        if (db < 0 || (unsigned)db == each) account_flush(store, each);
    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = store_shard(store, i);
        for (unsigned each = 0; each < store->db_count; each++)
            if (db < 0 || (unsigned)db == each) keys += shard_flush(store, shard, each, lazy);
    }
    return keys;
}

void store_swap_dbs(struct store *store, unsigned a, unsigned b) {
    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = store_shard(store, i);
        struct shard_db swapped = shard->dbs[a];
        shard->dbs[a] = shard->dbs[b];
        shard->dbs[b] = swapped;
    }
    account_swap(store, a, b);
    patterns_swap_dbs(store, a, b);
}

/* ---- counting ---- */

struct db_count {
    unsigned db;
    int64_t now_ms;
    struct store_db_sums sums;
};

static void add_db(const struct shard *shard, unsigned db, int64_t now_ms,
                   struct store_db_sums *sums) {
    enum { SAMPLE = 4 };
    const struct shard_db *shard_db = &shard->dbs[db];
    void *sample[SAMPLE];
    sums->keys += table_count(&shard_db->table);
    sums->expiring += shard_db->expiring;
    if (shard_db->expiring == 0) return;
    unsigned found =
        table_sample(&shard_db->table, random_next(), ENTRY_MARK_EXPIRES, sample, SAMPLE);
    for (unsigned i = 0; i < found; i++) {
        int64_t ttl = entry_expiry(sample[i]) - now_ms;
        if (ttl < 0) continue;
        sums->ttl_sum_ms += (double)ttl;
        sums->sampled++;
    }
}

static void shard_count_db(struct shard *shard, void *context) {
    struct db_count *count = context;
    add_db(shard, count->db, count->now_ms, &count->sums);
}

void store_db_stats_of(const struct store *store, unsigned db, const struct store_db_sums *sums,
                       struct store_db_stats *ret_stats) {
    /* Counted at another moment than the tables, so it may be more. */
    size_t dead = store_purged_keys(store, db);
    *ret_stats = (struct store_db_stats){
        .keys = dead < sums->keys ? sums->keys - dead : 0,
        .expiring = sums->expiring,
        .average_ttl_ms = sums->sampled ? (int64_t)(sums->ttl_sum_ms / (double)sums->sampled) : 0,
    };
}

void store_db_stats(struct store *store, unsigned db, bool already_held, int64_t now_ms,
                    struct store_db_stats *ret_stats) {
    struct db_count count = {.db = db, .now_ms = now_ms};
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        store_visit(store, i, already_held, shard_count_db, &count);
    store_db_stats_of(store, db, &count.sums, ret_stats);
}

static void shard_add_stats(struct shard *shard, void *context) {
    struct store_stats *stats = context;
    stats->expired += shard->expired;
    stats->evicted += shard->evicted;
    stats->expired_fields += shard->expired_fields;
    for (unsigned db = 0; db < shard->store->db_count; db++)
        stats->table_bytes += table_bytes(&shard->dbs[db].table);
}

void store_stats(struct store *store, bool already_held, struct store_stats *ret_stats) {
    *ret_stats = (struct store_stats){
        .lazy_pending = background_pending(store->background),
        .lazy_freed = background_freed(store->background),
    };
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        store_visit(store, i, already_held, shard_add_stats, ret_stats);
    for (unsigned i = 0; i < store->heap_count; i++) {
        struct heap_stats heap;
        heap_stats(store->heaps[i], &heap);
        ret_stats->page_bytes += heap.page_bytes;
        ret_stats->object_bytes += heap.object_bytes;
    }
}

struct shard_sums {
    int64_t now_ms;
    struct store_stats *stats;
    struct store_db_sums *dbs;
};

static void shard_add_all(struct shard *shard, void *context) {
    const struct shard_sums *sums = context;
    shard_add_stats(shard, sums->stats);
    for (unsigned db = 0; db < shard->store->db_count; db++)
        add_db(shard, db, sums->now_ms, &sums->dbs[db]);
}

bool store_add_shard_if_free(struct store *store, unsigned shard, int64_t now_ms,
                             struct store_stats *stats, struct store_db_sums *dbs) {
    struct shard_sums sums = {now_ms, stats, dbs};
    return store_visit_if_free(store, shard, shard_add_all, &sums);
}

size_t store_lazy_pending(const struct store *store) {
    return background_pending(store->background);
}

static void shard_reset_stats(struct shard *shard, void *context) {
    (void)context;
    shard->expired = shard->evicted = shard->expired_fields = 0;
}

void store_reset_stats(struct store *store, bool already_held) {
    background_reset_freed(store->background);
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        store_visit(store, i, already_held, shard_reset_stats, NULL);
}
