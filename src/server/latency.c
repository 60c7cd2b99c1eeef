/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/latency.h"

#include "base/ticks.h"

void latency_reset(struct latency *latency) {
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        atomic_store_explicit(&latency->counts[i], 0, memory_order_relaxed);
    }
}

void latency_add(struct latency_sum *sum, const struct latency *latency) {
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        uint64_t count = atomic_load_explicit(&latency->counts[i], memory_order_relaxed);
        sum->counts[i] += count;
        sum->total += count;
    }
}

/* The most that is counted in a bucket. */
static uint64_t bucket_top(unsigned bucket) {
    enum { STEPS = 1 << LATENCY_STEPS_LOG2 };
    if (bucket < STEPS) return bucket;
    unsigned doubling = (bucket >> LATENCY_STEPS_LOG2) - 1;
    return ((uint64_t)(STEPS + (bucket & (STEPS - 1))) << doubling) + ((1ull << doubling) - 1);
}

double latency_percentile_us(const struct latency_sum *sum, double percentage) {
    double wanted = (double)sum->total * percentage / 100;
    uint64_t seen = 0;
    unsigned last = 0;
    if (sum->total == 0) return 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        if (sum->counts[i] == 0) continue;
        last = i;
        seen += sum->counts[i];
        if ((double)seen >= wanted) break;
    }
    /* Whole microseconds would be too coarse. */
    return (double)ticks_to_us(bucket_top(last) * 1000) / 1000;
}
