/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact counts for each pattern of the catalog, without atomics on the hot path.
 *
 * What: every thread counts into cells of its own; a reader adds the cells of all threads up. Keys
 *       and bytes are counted for each database, so that FLUSHDB and SWAPDB need no walk; the rest
 *       is counted once. Numbers are those that entries carry (entry.h, "pattern").
 * Always: a cell is written by its thread alone; the sum over all cells is exact
 *         whenever no shard is held.
 * Owner: the store owns its tally; cells outlive their threads, as what a thread
 *        created may still be there.
 * Lock: none to add (the shard that the count is about is held anyway);
 *       tally_forget needs every shard.
 * Errors: none.
 */
#ifndef KN_STORE_TALLY_H
#define KN_STORE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

enum tally_count {
    TALLY_HITS,
    TALLY_MISSES,
    TALLY_WRITES,
    TALLY_EXPIRED,
    TALLY_EVICTED,
    TALLY_PURGED,
    TALLY_VIOLATIONS,
    TALLY_COUNTS
};

struct tally_sums {
    int64_t counts[TALLY_COUNTS];
    int64_t keys, bytes; /* of all databases */
};

enum { TALLY_CHUNK = 256, TALLY_IDS = 65536 };

/* One thread's cells, in chunks that come when they are needed. */
struct tally_block {
    struct tally_block *next;
    _Atomic(_Atomic(int64_t) *) chunks[TALLY_IDS / TALLY_CHUNK];
};

struct tally {
    size_t stride;   /* counters of a cell */
    uint64_t serial; /* tells this tally from an earlier one at the same address */
    unsigned db_count;
    _Atomic(struct tally_block *) blocks;
};

struct tally *tally_new(unsigned db_count);
/* No thread counts any more. */
void tally_free(struct tally *tally);

/* The calling thread's own block of the tally that it used last. */
struct tally_own {
    uint64_t serial;
    struct tally_block *block;
};
extern _Thread_local struct tally_own tally_own;
_Atomic(int64_t) *tally_cell_new(struct tally *tally, unsigned id);

/* The calling thread's cell of an id: counts, then keys and bytes of each database. */
static inline _Atomic(int64_t) *tally_cell(struct tally *tally, unsigned id) {
    if (kn_likely(tally_own.serial == tally->serial)) {
        _Atomic(int64_t) *cells =
            atomic_load_explicit(&tally_own.block->chunks[id / TALLY_CHUNK], memory_order_relaxed);
        if (kn_likely(cells != NULL)) return cells + (id % TALLY_CHUNK) * tally->stride;
    }
    return tally_cell_new(tally, id);
}

static inline void tally_bump(_Atomic(int64_t) *counter, int64_t change) {
    /* Only this thread writes it: a load and a store, where an atomic
     * addition would lock the bus. */
    int64_t sum = atomic_load_explicit(counter, memory_order_relaxed) + change;
    atomic_store_explicit(counter, sum, memory_order_relaxed);
}

static inline void tally_add(struct tally *tally, unsigned id, enum tally_count count,
                             int64_t change) {
    tally_bump(tally_cell(tally, id) + count, change);
}

static inline void tally_held(struct tally *tally, unsigned id, unsigned db, int64_t keys,
                              int64_t bytes) {
    _Atomic(int64_t) *cell = tally_cell(tally, id) + TALLY_COUNTS + 2 * db;
    if (keys) tally_bump(cell, keys);
    tally_bump(cell + 1, bytes);
}

void tally_sum(const struct tally *tally, unsigned id, struct tally_sums *ret_sums);
/* Keys and bytes of one database. */
void tally_sum_db(const struct tally *tally, unsigned id, unsigned db, int64_t *ret_keys,
                  int64_t *ret_bytes);
/* An id is about to be used anew: what was counted so far no longer counts. Every shard held. */
void tally_forget(struct tally *tally, unsigned id);

#endif
