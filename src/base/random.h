/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers, fast and good enough for everything but secrets.
 *
 * What: struct rng is a generator to hand to whoever needs chance (tests seed it); random_next and
 *       its kind use the calling thread's own, seeded from the system when first used.
 * Owner: whoever has the struct. Lock: none; a generator is used by one thread at a time.
 * Errors: none.
 */
#ifndef KN_BASE_RANDOM_H
#define KN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed);

static inline uint64_t rng_rotate(uint64_t x, int by) {
    return (x << by) | (x >> (64 - by));
}

/* xoshiro256++ */
static inline uint64_t rng_next(struct rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rng_rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return result;
}

/* 0 <= result < n; 0 when n is 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n) {
    return (uint64_t)(((unsigned __int128)rng_next(rng) * n) >> 64);
}

/* The calling thread's generator. */
struct rng *random_thread(void);
/* Seeds the calling thread's generator, so that a test can be repeated. */
void random_seed_thread(uint64_t seed);

static inline uint64_t random_next(void) {
    return rng_next(random_thread());
}

static inline uint64_t random_below(uint64_t n) {
    return rng_below(random_thread(), n);
}

/* 0 <= result < 1 */
static inline double random_unit(void) {
    return (double)(random_next() >> 11) * 0x1p-53;
}

/* Bytes from the system, fit for secrets and identities. Ends the process when there are none. */
void random_secret(void *out, size_t n);

#endif
