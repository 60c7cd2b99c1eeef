/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store as a whole: made, limited, swept, evicted from, counted.
 *
 * What: what the server does with the keyspace outside of single commands.
 * Lock: said at each function. "None held": it takes the shards it needs, one at a time.
 * Owner: the server owns the store.
 * Errors: none.
 */
#ifndef KN_STORE_ADMIN_H
#define KN_STORE_ADMIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct shard;

/* Told of every change, with the key's shard held: must not take another shard. */
typedef void store_feed_fn(void *context, struct shard *shard, unsigned db, const struct key *key,
                           enum event_class event_class, const char *event);

/* db_count databases; threads > 1 makes locks real. */
struct store *store_new(unsigned db_count, unsigned threads);
/* No thread uses it any more. */
void store_free(struct store *store);

void store_set_feed(struct store *store, store_feed_fn *feed, void *context);
/* Whether changes are published even where no client listens in the shard. From any thread. */
void store_feed_everything(struct store *store, bool on);

/* ---- limits: set from any thread, effective at once ---- */

enum evict_policy {
    EVICT_NONE,
    EVICT_ALLKEYS_LRU,
    EVICT_ALLKEYS_LFU,
    EVICT_ALLKEYS_RANDOM,
    EVICT_VOLATILE_LRU,
    EVICT_VOLATILE_LFU,
    EVICT_VOLATILE_RANDOM,
    EVICT_VOLATILE_TTL,
};

struct store_limits {
    _Atomic uint64_t max_memory; /* bytes; 0: none */
    _Atomic int policy;          /* enum evict_policy */
    _Atomic int samples;
    _Atomic int lfu_log_factor;
    _Atomic int lfu_decay_minutes;
    _Atomic bool lazy_expire, lazy_evict; /* costly values are freed in the background */
};
struct store_limits *store_limits(struct store *store);

/* ---- time ---- */

/* Tells the store the time, for recency; each worker does so now and then. */
void store_note_time(struct store *store, int64_t now_ms);

/* Removes keys and hash fields of one shard that have expired, looking at about `most` slots. None
 * held. Returns true when more is due. */
bool store_sweep(struct store *store, unsigned shard, int64_t now_ms, unsigned most);

/* ---- eviction ---- */

/* Candidates that one thread has seen and not taken yet. */
struct evict_pool;
struct evict_pool *evict_pool_new(void);
void evict_pool_free(struct evict_pool *pool);

enum evict_result {
    EVICT_ENOUGH, /* memory is within its limit */
    EVICT_MORE, /* the time was up before it was, or the background still frees what was evicted */
    EVICT_FAILED, /* over the limit, and nothing may be evicted */
};
/* Evicts until memory is within its limit, for at most budget_us microseconds. None held. */
enum evict_result store_evict(struct store *store, struct evict_pool *pool, int64_t now_ms,
                              int64_t budget_us);
/* Whether memory is over its limit. */
bool store_over_limit(struct store *store);

/* ---- whole databases: every shard is held ---- */

/* Empties a database (all with db < 0); frees in the background when lazy. Returns
 * how many keys there were. */
size_t store_flush(struct store *store, int db, bool lazy);
void store_swap_dbs(struct store *store, unsigned a, unsigned b);

/* ---- counting; none held unless said by already_held: every shard is ---- */

struct store_db_stats {
    size_t keys, expiring;
    int64_t average_ttl_ms; /* estimated from a sample */
};
void store_db_stats(struct store *store, unsigned db, bool already_held, int64_t now_ms,
                    struct store_db_stats *ret_stats);

struct store_stats {
    uint64_t expired, evicted, expired_fields;
    size_t page_bytes, object_bytes; /* of the shards' heaps */
    size_t table_bytes;
    size_t lazy_pending, lazy_freed;
};
void store_stats(struct store *store, bool already_held, struct store_stats *ret_stats);
void store_reset_stats(struct store *store, bool already_held);

/* The same for who can wait for nobody: one shard's part of both is added (dbs: one for each
 * database). Returns false, and adds nothing, when the shard is not free at this moment. */
struct store_db_sums {
    size_t keys, expiring;
    uint64_t sampled;
    double ttl_sum_ms;
};
bool store_add_shard_if_free(struct store *store, unsigned shard, int64_t now_ms,
                             struct store_stats *stats, struct store_db_sums *dbs);
/* What the sums of all shards say. From any thread. */
void store_db_stats_of(const struct store *store, unsigned db, const struct store_db_sums *sums,
                       struct store_db_stats *ret_stats);
/* From any thread. */
size_t store_lazy_pending(const struct store *store);

#endif
