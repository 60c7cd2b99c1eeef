/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking shards. A set is always taken in ascending order, and a visit takes a single shard while holding
 * none, so no two threads can wait for each other in a circle.
 */
#include "base/assert.h"
#include "store/internal.h"

void store_take_one(struct store *store, unsigned shard) KN_NO_LOCK_CHECK {
    if (store->locking) lock_take(&store->shards[shard].lock);
}

void store_give_one(struct store *store, unsigned shard) KN_NO_LOCK_CHECK {
    if (store->locking) lock_give(&store->shards[shard].lock);
}

void store_take(struct store *store, const struct shard_set *set) KN_NO_LOCK_CHECK {
    if (!store->locking) return;
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++)
        for (uint64_t bits = set->words[word]; bits; bits &= bits - 1)
            lock_take(&store->shards[word * 64 + (unsigned)__builtin_ctzll(bits)].lock);
}

void store_give(struct store *store, const struct shard_set *set) KN_NO_LOCK_CHECK {
    if (!store->locking) return;
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++)
        for (uint64_t bits = set->words[word]; bits; bits &= bits - 1)
            lock_give(&store->shards[word * 64 + (unsigned)__builtin_ctzll(bits)].lock);
}

void store_visit(struct store *store, unsigned shard, bool already_held, shard_visit_fn *visit,
                 void *context) {
    if (!already_held) store_take_one(store, shard);
    visit(store_shard(store, shard), context);
    if (!already_held) store_give_one(store, shard);
}

struct shard *store_shard(struct store *store, unsigned shard) {
#ifdef KN_DEBUG
    if (store->locking) lock_assert_held(&store->shards[shard].lock);
#endif
    return &store->shards[shard];
}
