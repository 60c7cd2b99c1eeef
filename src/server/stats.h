/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of what the server does, as INFO shows them.
 *
 * What: every thread counts in a block of its own; reading sums the blocks. A counter only grows,
 *       and CONFIG RESETSTAT sets it back to 0 for readers; a gauge (connected clients, channels
 *       ...) goes up and down, on whichever thread, and is not reset.
 * Always: a block is written by its thread alone and shares no cache line with another's. Blocks
 *         outlive their threads, so that nothing counted is lost.
 * Owner: the process has one set. Lock: none to count; readers may lag what other
 *        threads do at this moment.
 * Errors: none.
 */
#ifndef KN_SERVER_STATS_H
#define KN_SERVER_STATS_H

#include <stdatomic.h>
#include <stdint.h>

enum stat {
    /* Counters. */
    STAT_CONNECTIONS, /* accepted */
    STAT_CONNECTIONS_REJECTED,
    STAT_COMMANDS,
    STAT_INPUT_BYTES,
    STAT_OUTPUT_BYTES,
    STAT_READS,            /* events in which something was read from a socket */
    STAT_WRITES,           /* the same for writing */
    STAT_ROUNDS,           /* of all threads' event loops */
    STAT_ROUNDS_US,        /* what they took, without the waits */
    STAT_EXPIRED_TIME_CAP, /* expiry sweeps that ran out of their time */
    STAT_EXPIRE_CYCLE_US,
    STAT_KEYSPACE_HITS,
    STAT_KEYSPACE_MISSES,
    STAT_ERROR_REPLIES,
    STAT_AUTH_DENIED,
    STAT_EVICTED_SCRIPTS,
    STAT_QUERY_LIMIT_CLOSES,  /* clients closed for what they sent */
    STAT_OUTPUT_LIMIT_CLOSES, /* and for what they did not take */
    STAT_CHANGES,             /* keys changed: rdb_changes_since_last_save */
    /* Gauges: stats_add with +1 and -1. */
    STAT_CLIENTS,
    STAT_CLIENTS_BLOCKED,
    STAT_BLOCKING_KEYS,
    STAT_BLOCKING_KEYS_ON_NOKEY, /* those with a client who waits for the key's end, too */
    STAT_SCRIPTS,                /* in the cache */
    STAT_SCRIPT_BYTES,           /* their sources */
    STAT_LIBRARIES,
    STAT_FUNCTIONS,
    STAT_LIBRARY_BYTES,
    STAT_SCRIPT_VM_BYTES, /* of all Lua states */
    STAT_COUNT,
    STAT_FIRST_GAUGE = STAT_CLIENTS,
};

struct stats_block {
    _Atomic uint64_t counts[STAT_COUNT];
    struct stats_block *next;
};

extern _Thread_local struct stats_block *stats_mine;
struct stats_block *stats_join(void);

/* amount may be negative for a gauge. */
static inline void stats_add(enum stat stat, int64_t amount) {
    struct stats_block *block = stats_mine ? stats_mine : stats_join();
    uint64_t count = atomic_load_explicit(&block->counts[stat], memory_order_relaxed);
    /* No other thread writes here, so no locked instruction is needed. */
    atomic_store_explicit(&block->counts[stat], count + (uint64_t)amount, memory_order_relaxed);
}

/* What this thread has counted since it began. */
static inline uint64_t stats_mine_of(enum stat stat) {
    const struct stats_block *block = stats_mine ? stats_mine : stats_join();
    return atomic_load_explicit(&block->counts[stat], memory_order_relaxed);
}

static inline void stats_count(enum stat stat) {
    stats_add(stat, 1);
}

/* The sum over all threads, since the last reset. */
int64_t stats_read(enum stat stat);
/* Sets every counter back to 0; gauges stay. */
void stats_reset(void);

/* ---- rates over the last 16 samples ---- */

enum stats_rate {
    STATS_RATE_COMMANDS,
    STATS_RATE_INPUT,
    STATS_RATE_OUTPUT,
    STATS_RATE_ROUNDS,
    STATS_RATE_ROUNDS_US,
    STATS_RATE_COUNT
};
enum { STATS_SAMPLE_INTERVAL_MS = 100 };
/* To be called by one thread about every STATS_SAMPLE_INTERVAL_MS. */
void stats_sample(int64_t now_mono_us);
/* A second's worth. */
uint64_t stats_rate(enum stats_rate rate);

#endif
