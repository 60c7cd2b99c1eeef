/* SPDX-License-Identifier: BSD-3-Clause */
/* A zipfian number costs a logarithm and a power, more than the whole rest of a request. So a
 * picker draws a table of samples once and then walks it; the table is long enough (2^20) that
 * its repetition shows nowhere. */
#include "random.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE_COUNT = 1 << 20 };

uint64_t rng_next(struct rng *rng) {
    uint64_t x = rng->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    rng->state = x;
    return x * 0x2545F4914F6CDD1DULL;
}

uint64_t rng_below(struct rng *rng, uint64_t range) {
    return ((rng_next(rng) >> 32) * range) >> 32;
}

uint64_t mix64(uint64_t number) {
    uint64_t x = number + 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/* The integral of x^-theta from 1, and its inverse: ranks drawn through
 * them follow the power law. */
static double power_sum(double x, double theta) {
    return theta == 1.0 ? log(x) : (pow(x, 1.0 - theta) - 1.0) / (1.0 - theta);
}

static double power_sum_inverse(double y, double theta) {
    return theta == 1.0 ? exp(y) : pow(1.0 + y * (1.0 - theta), 1.0 / (1.0 - theta));
}

static uint64_t zipf_rank(uint64_t range, double theta, struct rng *rng) {
    double unit = (double)(rng_next(rng) >> 11) * 0x1p-53;
    double total = power_sum((double)range + 1.0, theta);
    uint64_t rank = (uint64_t)power_sum_inverse(unit * total, theta) - 1;
    return rank < range ? rank : range - 1;
}

bool picker_init(struct picker *picker, uint64_t range, double zipf_theta, struct rng *rng) {
    *picker = (struct picker){.range = range ? range : 1};
    if (zipf_theta <= 0.0) return true;
    picker->samples = malloc(SAMPLE_COUNT * sizeof(*picker->samples));
    if (!picker->samples) return false;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        /* Spread the popular ranks over the key space, or they would sit in
         * one slot's neighbourhood. */
        uint64_t rank = zipf_rank(picker->range, zipf_theta, rng);
        picker->samples[i] = (uint32_t)(mix64(rank) % picker->range);
    }
    return true;
}

void picker_done(struct picker *picker) {
    free(picker->samples);
    picker->samples = NULL;
}

uint64_t picker_next(struct picker *picker, struct rng *rng) {
    if (!picker->samples) return rng_below(rng, picker->range);
    picker->next = (picker->next + 1) % SAMPLE_COUNT;
    return picker->samples[picker->next];
}
