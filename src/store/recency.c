/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When an entry was last used (LRU), or how often (LFU): 24 bits of the entry.
 *
 * LRU keeps seconds, which wrap after 194 days. LFU keeps the minute of the last change (16 bits)
 * and a counter (8 bits) that grows ever more rarely the larger it is, and falls by one with each
 * period without use; so 8 bits tell a million uses from ten.
 */
#include "base/random.h"
#include "store/internal.h"

enum { ACCESS_MASK = 0xffffff, FREQUENCY_START = 5, MINUTE_MASK = 0xffff };

static uint32_t clock_seconds(const struct store *store) {
    return atomic_load_explicit(&store->clock_s, memory_order_relaxed);
}

static bool policy_is_lfu(const struct store *store) {
    int policy = atomic_load_explicit(&store->limits.policy, memory_order_relaxed);
    return policy == EVICT_ALLKEYS_LFU || policy == EVICT_VOLATILE_LFU;
}

static uint32_t lfu_pack(const struct store *store, unsigned counter) {
    return (clock_seconds(store) / 60 & MINUTE_MASK) << 8 | counter;
}

void store_note_time(struct store *store, int64_t now_ms) {
    uint32_t seconds = (uint32_t)(now_ms / 1000);
    /* Written once a second, so that the line stays shared among the workers that read it. */
    if (clock_seconds(store) != seconds)
        atomic_store_explicit(&store->clock_s, seconds, memory_order_relaxed);
}

uint32_t recency_new(const struct store *store) {
    return policy_is_lfu(store) ? lfu_pack(store, FREQUENCY_START)
                                : clock_seconds(store) & ACCESS_MASK;
}

unsigned store_frequency(const struct store *store, const struct entry *entry) {
    unsigned counter = entry->access & 0xff, minute = entry->access >> 8;
    unsigned decay =
        (unsigned)atomic_load_explicit(&store->limits.lfu_decay_minutes, memory_order_relaxed);
    if (decay == 0) return counter;
    unsigned periods = ((clock_seconds(store) / 60 - minute) & MINUTE_MASK) / decay;
    return periods < counter ? counter - periods : 0;
}

static unsigned frequency_raised(const struct store *store, unsigned counter) {
    if (counter >= STORE_FREQUENCY_MAX) return STORE_FREQUENCY_MAX;
    double base = counter > FREQUENCY_START ? counter - FREQUENCY_START : 0;
    int factor = atomic_load_explicit(&store->limits.lfu_log_factor, memory_order_relaxed);
    return random_unit() * (base * factor + 1) < 1 ? counter + 1 : counter;
}

void store_touch(struct store *store, struct entry *entry) {
    uint32_t access;
    if (__builtin_expect(policy_is_lfu(store), 0))
        access = lfu_pack(store, frequency_raised(store, store_frequency(store, entry)));
    else
        access = clock_seconds(store) & ACCESS_MASK;
    /* Most accesses of a busy key fall into the same second: leave its cache line clean then. */
    if (entry->access != access) entry->access = access & ACCESS_MASK;
}

int64_t store_idle_seconds(const struct store *store, const struct entry *entry) {
    return (clock_seconds(store) - entry->access) & ACCESS_MASK;
}

void store_set_idle(const struct store *store, struct entry *entry, int64_t idle_s) {
    if (policy_is_lfu(store)) return;
    uint32_t idle = idle_s < ACCESS_MASK ? (uint32_t)idle_s : ACCESS_MASK;
    entry->access = (clock_seconds(store) - idle) & ACCESS_MASK;
}

void store_set_frequency(const struct store *store, struct entry *entry, unsigned frequency) {
    if (policy_is_lfu(store)) entry->access = lfu_pack(store, frequency) & ACCESS_MASK;
}
