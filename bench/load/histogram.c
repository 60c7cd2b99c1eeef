/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

enum { STEPS = 64, STEP_BITS = 6 };

static unsigned bucket_of(uint64_t value) {
    if (value < STEPS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    unsigned bucket = (shift + 1) * STEPS + (unsigned)((value >> shift) - STEPS);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t bucket_value(unsigned bucket) {
    if (bucket < STEPS) return bucket;
    unsigned shift = bucket / STEPS - 1;
    return (uint64_t)(bucket % STEPS + STEPS) << shift;
}

void histogram_add(struct histogram *histogram, uint64_t value_ns) {
    histogram->counts[bucket_of(value_ns)]++;
    histogram->total++;
    if (value_ns > histogram->max_ns) histogram->max_ns = value_ns;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent) {
    double wanted = (double)histogram->total * percent / 100.0;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= wanted) return bucket_value(i);
    }
    return 0;
}
