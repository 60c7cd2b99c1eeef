/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shards, and the only way to take them.
 *
 * What: a shard is 64 hash slots: a lock, its share of a heap, and a table for each database.
 *       Shards are taken as a set in ascending order, for a request and for what replaces
 *       catalogs, so that no two wait for each other in a circle; or one at a time for a
 *       bounded step, by store_visit.
 * Always: everything in a shard is touched only by the thread that holds it. With one worker thread
 *         there is nobody to keep out, and taking costs a test of a flag.
 * Owner: the store owns its shards, for as long as it lives.
 * Lock: struct shard's own.
 * Errors: none.
 */
#ifndef KN_STORE_SHARD_H
#define KN_STORE_SHARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "ds/table.h"
#include "store/key.h"
#include "store/store.h"

/* One database's part in a shard. */
struct shard_db {
    struct table table;
    size_t expiring;     /* entries with an expiry */
    uint64_t sweep_from; /* where the expiry sweep goes on */
};

struct shard {
    struct lock lock;
    uint16_t index;
    _Atomic uint32_t listeners; /* clients that watch, or wait for, a key of this shard */
    struct store *store;
    struct heap *heap;
    struct shard_db *dbs;
    uint64_t expired, evicted; /* keys, since start or CONFIG RESETSTAT */
    uint64_t expired_fields;
} __attribute__((aligned(64)));

/* Marks beside the entries in a table. */
enum { ENTRY_MARK_EXPIRES = TABLE_MARK_1, ENTRY_MARK_FIELDS_EXPIRE = TABLE_MARK_2 };

struct shard_set {
    uint64_t words[SHARD_COUNT / 64];
};

static inline void shard_set_add(struct shard_set *set, unsigned shard) {
    set->words[shard / 64] |= 1ull << (shard % 64);
}

static inline bool shard_set_has(const struct shard_set *set, unsigned shard) {
    return set->words[shard / 64] >> (shard % 64) & 1;
}

static inline void shard_set_fill(struct shard_set *set) {
    for (unsigned i = 0; i < SHARD_COUNT / 64; i++) set->words[i] = UINT64_MAX;
}

/* For dispatch; the calling thread holds none. False, and nothing is held, when whoever has one of
 * them has marked it as busy: a script that runs too long. */
bool store_take_one(struct store *store, unsigned shard) __attribute__((warn_unused_result));
void store_give_one(struct store *store, unsigned shard);
bool store_take(struct store *store, const struct shard_set *set)
    __attribute__((warn_unused_result));
void store_give(struct store *store, const struct shard_set *set);
/* Takes shards besides those that the thread holds, which are not in the set, without
 * waiting for any. All or none. */
bool store_take_more(struct store *store, const struct shard_set *set)
    __attribute__((warn_unused_result));

/* The holder of a set says that it will be long (on), or that it is over. With one worker thread it
 * is that thread itself which then takes nothing. */
void store_mark_busy(struct store *store, const struct shard_set *set, bool on);
/* Whether somebody has. From any thread. */
bool store_is_busy(const struct store *store);

/* Runs visit with the shard held. already_held: the caller holds it, as part of a set. Returns
 * false, without a visit, when the shard is busy. */
typedef void shard_visit_fn(struct shard *shard, void *context);
bool store_visit(struct store *store, unsigned shard, bool already_held, shard_visit_fn *visit,
                 void *context);
/* The same for work that may as well be done later: returns false also when the shard
 * is merely held by another. */
bool store_visit_if_free(struct store *store, unsigned shard, shard_visit_fn *visit, void *context);

/* A shard that the caller holds. */
struct shard *store_shard(struct store *store, unsigned shard);

/* Somebody begins (+1), with the shard held, or ceases (-1) to watch or wait
 * for a key of this shard. */
void store_listen(struct store *store, unsigned shard, int change);

#endif
