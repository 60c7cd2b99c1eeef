/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/random.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/random.h>

#include "base/assert.h"

/* SplitMix64 spreads the seed, so that any seed, 0 included, gives a good state. */
void rng_seed(struct rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->state[i] = z ^ (z >> 31);
    }
}

static _Thread_local struct rng thread_rng;
static _Thread_local bool thread_seeded;

struct rng *random_thread(void) {
    if (kn_unlikely(!thread_seeded)) {
        uint64_t seed;
        random_secret(&seed, sizeof seed);
        random_seed_thread(seed);
    }
    return &thread_rng;
}

void random_seed_thread(uint64_t seed) {
    rng_seed(&thread_rng, seed);
    thread_seeded = true;
}

void random_secret(void *out, size_t n) {
    char *at = out;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        kn_require(got > 0);
        at += got;
        n -= (size_t)got;
    }
}
