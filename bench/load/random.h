/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers for the load: a fast generator, and key numbers drawn from a distribution.
 * Holds: picker_next() is always below the picker's range.
 * Owner: the caller; picker_done() frees the sample table. One thread. Errors: none after init. */
#ifndef BENCH_LOAD_RANDOM_H
#define BENCH_LOAD_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *rng);

/* Uniform in [0, range). The range must be below 2^32. */
uint64_t rng_below(struct rng *rng, uint64_t range);

/* Mixes a number into 64 bits that look random; the same number gives the same bits. */
uint64_t mix64(uint64_t number);

struct picker {
    uint64_t range;
    uint32_t *samples; /* NULL when uniform */
    size_t next;
};

/* zipf_theta 0 means uniform; 0.99 is the usual skew of a cache. Returns
 * false when memory is out. */
bool picker_init(struct picker *picker, uint64_t range, double zipf_theta, struct rng *rng);
void picker_done(struct picker *picker);
uint64_t picker_next(struct picker *picker, struct rng *rng);

#endif
