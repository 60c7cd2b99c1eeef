/* SPDX-License-Identifier: BSD-3-Clause */
/* Eviction: down to the limit, never what the policy spares, and mostly what it wants first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model.h"

static uint64_t seed = 1;

enum { LONG_US = 60 * 1000 * 1000 };

static const int policies[] = {EVICT_ALLKEYS_LRU,  EVICT_ALLKEYS_LFU,  EVICT_ALLKEYS_RANDOM,
                               EVICT_VOLATILE_LRU, EVICT_VOLATILE_LFU, EVICT_VOLATILE_RANDOM,
                               EVICT_VOLATILE_TTL};
enum { POLICIES = sizeof policies / sizeof policies[0] };

static bool is_volatile(int policy) {
    return policy >= EVICT_VOLATILE_LRU;
}

static bool is_lfu(int policy) {
    return policy == EVICT_ALLKEYS_LFU || policy == EVICT_VOLATILE_LFU;
}

static unsigned below(struct model *model, unsigned n) {
    return (unsigned)rng_below(&model->rng, n);
}

static void choose(struct model *model, int policy, size_t max_memory) {
    atomic_store(&store_limits(model->store)->policy, policy);
    atomic_store(&store_limits(model->store)->max_memory, max_memory);
    model->may_evict = policy != EVICT_NONE;
    model->only_volatile = is_volatile(policy);
}

static void fill(struct model *model, unsigned dbs) {
    static const enum value_type types[] = {TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH};
    model_hold(model);
    for (unsigned db = 0; db < dbs; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++) {
            int64_t expires_ms =
                below(model, 2) ? model->now_ms + 1000 + below(model, 100000) : ENTRY_EXPIRY_NONE;
            if (below(model, 3))
                model_put_string(model, db, i, below(model, 400), expires_ms);
            else
                model_put_value(model, db, i, types[below(model, 4)], 1 + below(model, 100),
                                expires_ms);
        }
    model_release(model);
}

static void count(const struct model *model, size_t *ret_lasting, size_t *ret_expiring) {
    *ret_lasting = *ret_expiring = 0;
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++)
            if (model->keys[db][i].there)
                ++*(model->keys[db][i].expires_ms == ENTRY_EXPIRY_NONE ? ret_lasting
                                                                       : ret_expiring);
}

/* Evicts, waiting for what the background still frees. */
static enum evict_result evict_down(struct model *model) {
    struct evict_pool *pool = evict_pool_new();
    enum evict_result result;
    while ((result = store_evict(model->store, pool, model->now_ms, LONG_US)) == EVICT_MORE)
        model_drain(model);
    evict_pool_free(pool);
    return result;
}

/* Under each policy, with both ways of freeing: half of it goes, then all that may. The feed
 * asserts that every key was allowed to. */
static void run(int policy, unsigned threads, bool lazy) {
    struct model *model = model_new(seed + (uint64_t)policy, threads);
    size_t lasting, expiring, lasting_after, expiring_after;
    fill(model, MODEL_DBS);
    count(model, &lasting, &expiring);
    atomic_store(&store_limits(model->store)->lazy_evict, lazy);
    size_t held = memory_used() - model->empty;
    choose(model, policy, model->empty + (is_volatile(policy) ? held * 3 / 4 : held / 2));
    assert_int_equal(evict_down(model), EVICT_ENOUGH);
    assert_false(store_over_limit(model->store));
    model_check(model);
    count(model, &lasting_after, &expiring_after);
    assert_int_equal(model->evicted, lasting + expiring - lasting_after - expiring_after);
    /* No more than was needed: what is in the pool stays. */
    size_t used = memory_used() - model->empty;
    assert_true(used >= held * 2 / 5);

    choose(model, policy, model->empty / 2);
    assert_int_equal(evict_down(model), EVICT_FAILED);
    count(model, &lasting_after, &expiring_after);
    assert_int_equal(lasting_after, is_volatile(policy) ? lasting : 0);
    assert_int_equal(expiring_after, 0);
    struct store_stats stats;
    store_stats(model->store, false, &stats);
    assert_int_equal(stats.evicted, model->evicted);
    model_check(model);
    model_compare(model);
    choose(model, EVICT_NONE, 0);
    model_free(model, lazy);
}

static void test_policies(void **state) {
    (void)state;
    for (unsigned i = 0; i < POLICIES; i++) {
        run(policies[i], 1, i % 2);
        run(policies[i], 3, i % 2 == 0);
    }
}

static void test_none(void **state) {
    struct model *model = model_new(seed, 1);
    struct evict_pool *pool = evict_pool_new();
    (void)state;
    fill(model, 1);
    choose(model, EVICT_NONE, model->empty);
    assert_int_equal(store_evict(model->store, pool, model->now_ms, LONG_US), EVICT_FAILED);
    choose(model, EVICT_ALLKEYS_LRU, 0); /* no limit */
    assert_int_equal(store_evict(model->store, pool, model->now_ms, LONG_US), EVICT_ENOUGH);
    assert_int_equal(model->evicted, 0);
    model_compare(model);
    evict_pool_free(pool);
    model_free(model, false);
}

/* The pool remembers keys from earlier rounds: what became of them since is
 * looked at before they go. */
static void test_stale_candidates(void **state) {
    (void)state;
    for (unsigned i = 0; i < POLICIES; i++) {
        if (!is_volatile(policies[i])) continue;
        struct model *model = model_new(seed, 1);
        struct evict_pool *pool = evict_pool_new();
        fill(model, MODEL_DBS);
        choose(model, policies[i], memory_used() - 100);
        assert_int_equal(store_evict(model->store, pool, model->now_ms, LONG_US), EVICT_ENOUGH);
        size_t evicted = model->evicted;
        assert_true(evicted > 0);
        for (unsigned db = 0; db < MODEL_DBS; db++)
            for (unsigned k = 0; k < MODEL_NAMES; k++) {
                if (!model->keys[db][k].there) continue;
                if (k % 3 == 0)
                    model_delete(model, db, k, false);
                else
                    model_expire(model, db, k, ENTRY_EXPIRY_NONE);
            }
        choose(model, policies[i], model->empty);
        assert_int_equal(store_evict(model->store, pool, model->now_ms, LONG_US), EVICT_FAILED);
        assert_int_equal(model->evicted, evicted);
        /* One that has expired meanwhile is not evicted: it expires. */
        model_put_string(model, 0, 1, 5, model->now_ms + 1);
        model->now_ms += 2;
        assert_int_equal(store_evict(model->store, pool, model->now_ms, LONG_US), EVICT_FAILED);
        assert_int_equal(model->evicted, evicted);
        assert_int_equal(model->expired, 1);
        choose(model, EVICT_NONE, 0);
        evict_pool_free(pool);
        model_free(model, false);
    }
}

/* One key with a lifetime among very many without is found, and nothing else goes. */
static void test_needle(void **state) {
    enum { KEYS = 60000 };
    struct store *store = store_new(1, 1);
    struct evict_pool *pool = evict_pool_new();
    char name[32];
    (void)state;
    random_seed_thread(seed);
    for (unsigned i = 0; i < KEYS; i++) {
        struct key key =
            key_make(bytes_make(name, (size_t)snprintf(name, sizeof name, "key%u", i)));
        store_put_integer(store, 0, &key, NULL, i, i == KEYS / 3 ? 5000 : ENTRY_EXPIRY_NONE);
    }
    atomic_store(&store_limits(store)->policy, EVICT_VOLATILE_LRU);
    atomic_store(&store_limits(store)->max_memory, 1);
    struct store_db_stats stats;
    assert_int_equal(store_evict(store, pool, 1000, LONG_US), EVICT_FAILED);
    store_db_stats(store, 0, false, 1000, &stats);
    assert_int_equal(stats.keys, KEYS - 1);
    assert_int_equal(stats.expiring, 0);
    evict_pool_free(pool);
    store_free(store);
}

/* ---- which go first ---- */

enum { RANKED = 10000, FIFTH = RANKED / 5 };

/* Fills a store with keys of ranks 0 ... RANKED - 1, of which the policy wants the lower first. */
static void fill_ranked(struct store *store, int policy, unsigned *shuffled) {
    char name[32];
    struct rng rng;
    rng_seed(&rng, seed);
    for (unsigned i = 0; i < RANKED; i++) shuffled[i] = i;
    for (unsigned i = RANKED - 1; i > 0; i--) {
        unsigned other = (unsigned)rng_below(&rng, i + 1), kept = shuffled[i];
        shuffled[i] = shuffled[other];
        shuffled[other] = kept;
    }
    for (unsigned i = 0; i < RANKED; i++) {
        unsigned rank = shuffled[i];
        struct key key =
            key_make(bytes_make(name, (size_t)snprintf(name, sizeof name, "key%u", rank)));
        bool ttl = policy == EVICT_VOLATILE_TTL;
        store_note_time(store, (10000 + (ttl ? 0 : rank)) * 1000ll);
        if (is_lfu(policy)) store_note_time(store, 10000 * 1000ll);
        struct entry *entry = store_put_integer(store, 0, &key, NULL, rank,
                                                100000000 + (ttl ? rank : RANKED - rank) * 1000ll);
        if (is_lfu(policy))
            for (unsigned use = 0; use < rank / 40; use++) store_touch(store, entry);
    }
    /* Frequencies fall with time. */
    if (!is_lfu(policy)) store_note_time(store, (10000 + RANKED) * 1000ll);
}

struct ranks {
    size_t count;
    double sum;
    unsigned above; /* of the upper half */
};

static void note_rank(void *context, struct shard *shard, unsigned db, const struct key *key,
                      enum event_class event_class, const char *event) {
    struct ranks *ranks = context;
    char number[16] = {0};
    (void)shard, (void)db, (void)event;
    if (event_class != EVENT_EVICTED) return;
    memcpy(number, key->name.data + 3, key->name.len - 3);
    unsigned rank = (unsigned)strtoul(number, NULL, 10);
    ranks->count++;
    ranks->sum += rank;
    ranks->above += rank >= RANKED / 2;
}

static void check_order(int policy) {
    static unsigned shuffled[RANKED];
    struct store *store = store_new(1, 1);
    struct evict_pool *pool = evict_pool_new();
    struct ranks ranks = {0};
    random_seed_thread(seed);
    atomic_store(&store_limits(store)->policy, policy);
    fill_ranked(store, policy, shuffled);
    store_set_feed(store, note_rank, &ranks);
    store_feed_everything(store, true);
    while (ranks.count < FIFTH) {
        atomic_store(&store_limits(store)->max_memory, memory_used() - 1000);
        assert_int_equal(store_evict(store, pool, 1000, LONG_US), EVICT_ENOUGH);
    }
    double mean = ranks.sum / (double)ranks.count / RANKED;
    print_message("policy %d: %zu evicted, mean rank %.3f, %u of the upper half\n", policy,
                  ranks.count, mean, ranks.above);
    if (policy == EVICT_ALLKEYS_RANDOM || policy == EVICT_VOLATILE_RANDOM) {
        assert_true(mean > 0.45 && mean < 0.55);
    } else {
        /* The best fifth has a mean of 0.1; what chance alone would take, 0.5. Frequencies are
         * counted by chance, and those of ten uses and twenty often are the same. */
        assert_true(mean < (is_lfu(policy) ? 0.3 : 0.2));
        assert_true(ranks.above < ranks.count / (is_lfu(policy) ? 8 : 20));
    }
    evict_pool_free(pool);
    store_free(store);
}

static void test_order(void **state) {
    (void)state;
    for (unsigned i = 0; i < POLICIES; i++) check_order(policies[i]);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_stale_candidates),
        cmocka_unit_test(test_needle),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests_name("evict", tests, NULL, NULL);
}
