/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Histograms of how long commands took.
 *
 * What: counts in buckets that grow with what they hold, eight for each doubling, so that a
 *       percentile is right within an eighth. One thread counts, in ticks; others may read.
 * Owner: whoever made it. Lock: none: relaxed atomics. Errors: none.
 */
#ifndef KN_SERVER_LATENCY_H
#define KN_SERVER_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    LATENCY_STEPS_LOG2 = 3,
    LATENCY_DOUBLINGS = 45,
    LATENCY_BUCKETS = (LATENCY_DOUBLINGS + 1) << 3
};

struct latency {
    _Atomic uint64_t counts[LATENCY_BUCKETS];
};

static inline unsigned latency_bucket(uint64_t ticks) {
    enum { STEPS = 1 << LATENCY_STEPS_LOG2 };
    if (ticks < STEPS) return (unsigned)ticks;
    unsigned doubling = 63 - (unsigned)__builtin_clzll(ticks) - LATENCY_STEPS_LOG2;
    if (doubling >= LATENCY_DOUBLINGS) return LATENCY_BUCKETS - 1;
    return ((doubling + 1) << LATENCY_STEPS_LOG2) + (unsigned)((ticks >> doubling) & (STEPS - 1));
}

/* By the one thread that counts. */
static inline void latency_note(struct latency *latency, uint64_t ticks) {
    _Atomic uint64_t *count = &latency->counts[latency_bucket(ticks)];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void latency_reset(struct latency *latency);

/* A reader's own sum of several. */
struct latency_sum {
    uint64_t total;
    uint64_t counts[LATENCY_BUCKETS];
};
void latency_add(struct latency_sum *sum, const struct latency *latency);
/* Microseconds that this percentage took at most; 0 when nothing was counted. */
double latency_percentile_us(const struct latency_sum *sum, double percentage);

#endif
