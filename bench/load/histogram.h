/* SPDX-License-Identifier: BSD-3-Clause */
/* Latencies in log-linear buckets: 64 steps for each doubling, so a percentile is within 1.6 %.
 * Holds: total is the sum of the counts. Owner: the caller; plain memory. One thread. */
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 40 };

struct histogram {
    uint64_t total;
    uint64_t max_ns;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value_ns);

/* The value below which `percent` of the values lie; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
