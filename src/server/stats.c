/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/stats.h"

#include <stdbool.h>
#include <string.h>

#include "base/lock.h"
#include "base/memory.h"

_Thread_local struct stats_block *stats_mine;

/* Blocks are only ever added, at the head, so that readers need no lock to follow the chain. */
static _Atomic(struct stats_block *) stats_blocks;

/* What readers subtract since the last reset. */
static _Atomic uint64_t stats_base[STAT_COUNT];

struct stats_block *stats_join(void) {
    size_t size = (sizeof(struct stats_block) + 63) & ~(size_t)63;
    struct stats_block *block = mem_alloc_aligned(64, size);
    memset(block, 0, size);
    struct stats_block *head = atomic_load_explicit(&stats_blocks, memory_order_relaxed);
    do {
        block->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&stats_blocks, &head, block,
                                                    memory_order_release, memory_order_relaxed));
    stats_mine = block;
    return block;
}

static uint64_t stats_sum(enum stat stat) {
    uint64_t sum = 0;
    struct stats_block *block = atomic_load_explicit(&stats_blocks, memory_order_acquire);
    for (; block; block = block->next) {
        sum += atomic_load_explicit(&block->counts[stat], memory_order_relaxed);
    }
    return sum;
}

int64_t stats_read(enum stat stat) {
    uint64_t base = atomic_load_explicit(&stats_base[stat], memory_order_relaxed);
    return (int64_t)(stats_sum(stat) - base);
}

void stats_reset(void) {
    for (int i = 0; i < STAT_FIRST_GAUGE; i++) {
        if (i == STAT_CHANGES) continue; /* a fact about the data, not a statistic */
        atomic_store_explicit(&stats_base[i], stats_sum((enum stat)i), memory_order_relaxed);
    }
}

/* ---- rates ---- */

enum { RATE_SAMPLES = 16 };

struct rate_meter {
    uint64_t last_count;
    uint64_t samples[RATE_SAMPLES]; /* per second, at the time of each sample */
};

static const enum stat rate_sources[STATS_RATE_COUNT] = {
    [STATS_RATE_COMMANDS] = STAT_COMMANDS,   [STATS_RATE_INPUT] = STAT_INPUT_BYTES,
    [STATS_RATE_OUTPUT] = STAT_OUTPUT_BYTES, [STATS_RATE_ROUNDS] = STAT_ROUNDS,
    [STATS_RATE_ROUNDS_US] = STAT_ROUNDS_US,
};
static struct rate_meter meters[STATS_RATE_COUNT];
static int64_t meters_at_us;
static unsigned meters_index;
static struct lock meters_lock;

void stats_sample(int64_t now_mono_us) {
    lock_take(&meters_lock);
    int64_t passed_us = now_mono_us - meters_at_us;
    /* The first call only sets the marks that later ones measure from. */
    bool first = meters_at_us == 0;
    if (first || passed_us > 0) {
        for (int i = 0; i < STATS_RATE_COUNT; i++) {
            uint64_t count = stats_sum(rate_sources[i]);
            uint64_t delta = count - meters[i].last_count;
            meters[i].last_count = count;
            if (!first) {
                double rate = (double)delta * 1000000.0 / (double)passed_us;
                meters[i].samples[meters_index % RATE_SAMPLES] = (uint64_t)rate;
            }
        }
        meters_at_us = now_mono_us;
        if (!first) meters_index++;
    }
    lock_give(&meters_lock);
}

uint64_t stats_rate(enum stats_rate rate) {
    uint64_t sum = 0;
    lock_take(&meters_lock);
    for (int i = 0; i < RATE_SAMPLES; i++) sum += meters[rate].samples[i];
    lock_give(&meters_lock);
    return sum / RATE_SAMPLES;
}
