/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking shards. A set is always taken in ascending order, and a visit takes a single shard while
 * holding none, so no two threads can wait for each other in a circle.
 */
#include "base/assert.h"
#include "store/internal.h"

bool store_is_busy(const struct store *store) {
    return atomic_load_explicit(&store->busy_holders, memory_order_relaxed) != 0;
}

void store_mark_busy(struct store *store, const struct shard_set *set, bool on) {
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++) {
        if (on)
            atomic_fetch_or(&store->busy[word], set->words[word]);
        else
            atomic_fetch_and(&store->busy[word], ~set->words[word]);
    }
    if (on)
        atomic_fetch_add(&store->busy_holders, 1);
    else
        atomic_fetch_sub(&store->busy_holders, 1);
}

struct wish {
    const struct store *store;
    unsigned shard;
};

static bool is_not_busy(void *context) {
    const struct wish *wish = context;
    uint64_t word = atomic_load(&wish->store->busy[wish->shard / 64]);
    return !(word >> (wish->shard % 64) & 1);
}

bool store_take_one(struct store *store, unsigned shard) KN_NO_LOCK_CHECK {
    if (!store->locking) return !store_is_busy(store);
    struct lock *lock = &store->shards[shard].lock;
    if (kn_likely(lock_try_take(lock))) return true;
    struct wish wish = {store, shard};
    if (!lock_wait_while(lock, is_not_busy, &wish)) return false;
    lock_note_taken(lock);
    return true;
}

void store_give_one(struct store *store, unsigned shard) KN_NO_LOCK_CHECK {
    if (store->locking) lock_give(&store->shards[shard].lock);
}

bool store_take(struct store *store, const struct shard_set *set) KN_NO_LOCK_CHECK {
    struct shard_set taken = {{0}};
    if (!store->locking) return !store_is_busy(store);
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++)
        for (uint64_t bits = set->words[word]; bits; bits &= bits - 1) {
            unsigned shard = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (!store_take_one(store, shard)) {
                store_give(store, &taken);
                return false;
            }
            shard_set_add(&taken, shard);
        }
    return true;
}

bool store_take_more(struct store *store, const struct shard_set *set) KN_NO_LOCK_CHECK {
    struct shard_set taken = {{0}};
    if (!store->locking) return true;
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++)
        for (uint64_t bits = set->words[word]; bits; bits &= bits - 1) {
            unsigned shard = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (!lock_try_take(&store->shards[shard].lock)) {
                store_give(store, &taken);
                return false;
            }
            shard_set_add(&taken, shard);
        }
    return true;
}

void store_give(struct store *store, const struct shard_set *set) KN_NO_LOCK_CHECK {
    if (!store->locking) return;
    for (unsigned word = 0; word < SHARD_COUNT / 64; word++)
        for (uint64_t bits = set->words[word]; bits; bits &= bits - 1)
            lock_give(&store->shards[word * 64 + (unsigned)__builtin_ctzll(bits)].lock);
}

bool store_visit(struct store *store, unsigned shard, bool already_held, shard_visit_fn *visit,
                 void *context) {
    if (!already_held && !store_take_one(store, shard)) return false;
    visit(store_shard(store, shard), context);
    if (!already_held) store_give_one(store, shard);
    return true;
}

bool store_visit_if_free(struct store *store, unsigned shard, shard_visit_fn *visit,
                         void *context) KN_NO_LOCK_CHECK {
    if (!store->locking) return store_visit(store, shard, false, visit, context);
    if (!lock_try_take(&store->shards[shard].lock)) return false;
    visit(store_shard(store, shard), context);
    store_give_one(store, shard);
    return true;
}

struct shard *store_shard(struct store *store, unsigned shard) {
#ifdef KN_DEBUG
    if (store->locking) lock_assert_held(&store->shards[shard].lock);
#endif
    return &store->shards[shard];
}
