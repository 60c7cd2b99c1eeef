/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of shards taken by several threads: nobody is inside with another, nobody waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "store/admin.h"
#include "store/shard.h"
#include "store/store.h"
#include "types/list.h"

static uint64_t seed = 1;

enum { THREADS = 4, ROUNDS = 20000 };

/* ---- counters that only their shard's lock protects ---- */

static struct store *store;
static uint64_t counters[SHARD_COUNT];

static void visit_counter(struct shard *shard, void *context) {
    uint64_t *mine = context;
    counters[shard->index]++;
    mine[shard->index]++;
}

static void *count_shards(void *context) {
    uint64_t *mine = context;
    struct rng rng;
    rng_seed(&rng, seed + mine[0]);
    mine[0] = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct shard_set set = {0};
        unsigned kind = (unsigned)rng_below(&rng, 100);
        unsigned one = (unsigned)rng_below(&rng, 8);
        if (kind < 30) {
            assert_true(store_take_one(store, one));
            visit_counter(store_shard(store, one), mine);
            store_give_one(store, one);
            continue;
        }
        if (kind < 50) {
            store_visit(store, one, false, visit_counter, mine);
            continue;
        }
        if (kind == 50)
            shard_set_fill(&set);
        else /* few shards, added in no order: threads want the same ones all the time */
            for (unsigned i = 0; i < 6; i++)
                shard_set_add(&set, (unsigned)rng_below(&rng, 16) * (kind % 2 ? 1 : 16));
        assert_true(store_take(store, &set));
        for (unsigned i = 0; i < SHARD_COUNT; i++)
            if (shard_set_has(&set, i)) store_visit(store, i, true, visit_counter, mine);
        store_give(store, &set);
    }
    return NULL;
}

static void run_threads(void *(*body)(void *), void *contexts, size_t size) {
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, (char *)contexts + i * size), 0);
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void test_counters(void **state) {
    static uint64_t mine[THREADS][SHARD_COUNT];
    (void)state;
    store = store_new(1, THREADS);
    for (unsigned i = 0; i < THREADS; i++) mine[i][0] = i;
    run_threads(count_shards, mine, sizeof mine[0]);
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < THREADS; i++) sum += mine[i][shard];
        assert_true(sum > 0 && counters[shard] == sum);
    }
    store_free(store);
}

/* ---- keys that travel between shards, heaps and databases while others sweep and count ---- */

enum { TOKENS = 60, PLACES = 150, TRAVELS = 10000 };

static struct key place_name(unsigned place, char *scratch) {
    return key_make(bytes_make(scratch, (size_t)snprintf(scratch, 32, "place%u", place)));
}

/* A list, so that its value changes the heap with its key; every fourth costs
 * enough for the background. */
static void *token_value(struct heap *heap, unsigned elements) {
    struct list *list = list_new(heap);
    char text[32];
    for (unsigned i = 0; i < elements; i++)
        list_push(list, LIST_TAIL,
                  bytes_make(text, (size_t)snprintf(text, sizeof text, "element %u", i)));
    return list;
}

/* Both places held: moves what is at the one to the other, or replaces it
 * by a copy of the other's. */
static void travel(struct rng *rng, const struct key *from, const struct key *to) {
    unsigned from_db = (unsigned)rng_below(rng, 2), to_db = (unsigned)rng_below(rng, 2);
    struct entry *entry = store_find(store, from_db, from, 1000);
    if (entry == NULL) return;
    struct entry *there = store_find(store, to_db, to, 1000);
    size_t elements = entry_count(entry);
    if (there == NULL) {
        entry = store_move(store, from_db, from, entry, to_db, to);
    } else if (there != entry) {
        /* Twice the same length: one goes, through the background when it is
         * long, and is copied again. */
        if (entry_count(there) != elements) return;
        store_delete(store, to_db, to, there, true);
        entry = store_copy(store, entry, to_db, to);
    }
    assert_int_equal(entry_count(entry), elements);
    list_check(entry_value(entry));
}

static void *travel_much(void *context) {
    unsigned index = *(unsigned *)context;
    struct rng rng;
    char one[32], other[32];
    rng_seed(&rng, seed + 100 + index);
    for (unsigned round = 0; round < TRAVELS; round++) {
        struct key from = place_name((unsigned)rng_below(&rng, PLACES), one);
        struct key to = place_name((unsigned)rng_below(&rng, PLACES), other);
        struct shard_set set = {0};
        shard_set_add(&set, to.shard);
        shard_set_add(&set, from.shard);
        if (round % 500 == 499) {
            shard_set_fill(&set);
            assert_true(store_take(store, &set));
            store_swap_dbs(store, 0, 1);
            struct store_db_stats first, second;
            store_db_stats(store, 0, true, 1000, &first);
            store_db_stats(store, 1, true, 1000, &second);
            assert_int_equal(first.keys + second.keys, TOKENS);
        } else {
            assert_true(store_take(store, &set));
            travel(&rng, &from, &to);
        }
        store_give(store, &set);
        if (round % 16 == 0) store_sweep(store, (unsigned)rng_below(&rng, SHARD_COUNT), 1000, 50);
    }
    return NULL;
}

static void check_travelled(struct shard *shard, void *context) {
    size_t *elements = context;
    for (unsigned db = 0; db < 2; db++) {
        struct table_iter iter;
        table_check(&shard->dbs[db].table);
        table_iter_init(&iter, &shard->dbs[db].table);
        for (struct entry *e = table_iter_next(&iter); e != NULL; e = table_iter_next(&iter)) {
            list_check(entry_value(e));
            *elements += entry_count(e);
        }
    }
}

static void test_travel(void **state) {
    unsigned indexes[THREADS];
    size_t expected = 0, found = 0, before = memory_used();
    char name[32];
    (void)state;
    store = store_new(2, THREADS);
    for (unsigned i = 0; i < TOKENS; i++) {
        struct key key = place_name(i, name);
        unsigned elements = i % 4 == 0 ? 4000 : 5;
        expected += elements;
        assert_true(store_take_one(store, key.shard));
        store_put_value(store, i % 2, &key, NULL, TYPE_LIST,
                        token_value(store_heap(store, &key), elements), ENTRY_EXPIRY_NONE);
        store_give_one(store, key.shard);
    }
    for (unsigned i = 0; i < THREADS; i++) indexes[i] = i;
    run_threads(travel_much, indexes, sizeof indexes[0]);
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        store_visit(store, i, false, check_travelled, &found);
    assert_int_equal(found, expected);
    store_free(store);
    assert_int_equal(memory_used(), before);
}

/* ---- several threads evict at once ---- */

static void *evict_much(void *context) {
    struct evict_pool *pool = evict_pool_new();
    (void)context;
    while (store_evict(store, pool, 1000, 100) == EVICT_MORE) continue;
    evict_pool_free(pool);
    return NULL;
}

static void test_evict(void **state) {
    enum { KEYS = 20000 };
    static char contexts[THREADS];
    char name[32];
    (void)state;
    store = store_new(1, THREADS);
    for (unsigned i = 0; i < KEYS; i++) {
        struct key key = place_name(i, name);
        assert_true(store_take_one(store, key.shard));
        store_put_integer(store, 0, &key, NULL, i, i % 2 ? 5000 : ENTRY_EXPIRY_NONE);
        store_give_one(store, key.shard);
    }
    atomic_store(&store_limits(store)->policy, EVICT_VOLATILE_TTL);
    atomic_store(&store_limits(store)->max_memory, 1);
    run_threads(evict_much, contexts, 1);
    struct store_stats stats;
    struct store_db_stats db;
    store_stats(store, false, &stats);
    store_db_stats(store, 0, false, 1000, &db);
    assert_int_equal(stats.evicted, KEYS / 2);
    assert_int_equal(db.keys, KEYS / 2);
    assert_int_equal(db.expiring, 0);
    store_free(store);
}

/* ---- shards whose holder says that it will be long ---- */

static struct shard_set long_set;

/* Waits for a set that overlaps with what is held for long: it is
 * refused, and holds nothing then. */
static void *ask_for_busy(void *context) {
    _Atomic unsigned *refused = context;
    struct shard_set both = {0}, free_one = {0};
    shard_set_add(&both, 7);
    shard_set_add(&both, 70);
    shard_set_add(&free_one, 7);
    if (!store_take(store, &both)) {
        ++*refused;
        assert_true(store_take(store, &free_one)); /* not by us any more */
        store_give(store, &free_one);
    } else {
        store_give(store, &both);
    }
    return NULL;
}

static void never_visited(struct shard *shard, void *context) {
    (void)shard, (void)context;
    fail();
}

static void test_busy(void **state) {
    _Atomic unsigned refused = 0;
    pthread_t asking[THREADS], late[THREADS];
    (void)state;
    store = store_new(1, THREADS);
    shard_set_add(&long_set, 70);
    shard_set_add(&long_set, 200);
    assert_true(store_take(store, &long_set));
    for (unsigned i = 0; i < THREADS; i++) pthread_create(&asking[i], NULL, ask_for_busy, &refused);
    /* Some wait already when it is said, others come later. */
    store_mark_busy(store, &long_set, true);
    for (unsigned i = 0; i < THREADS; i++) pthread_create(&late[i], NULL, ask_for_busy, &refused);
    for (unsigned i = 0; i < THREADS; i++) pthread_join(asking[i], NULL);
    for (unsigned i = 0; i < THREADS; i++) pthread_join(late[i], NULL);
    assert_int_equal(refused, 2 * THREADS);
    assert_true(store_is_busy(store));
    assert_false(store_take_one(store, 200));
    assert_false(store_visit(store, 200, false, never_visited, NULL));
    assert_false(store_visit_if_free(store, 200, never_visited, NULL));
    assert_true(store_take_one(store, 201));
    store_give_one(store, 201);

    store_mark_busy(store, &long_set, false);
    assert_false(store_is_busy(store));
    assert_false(store_visit_if_free(store, 200, never_visited, NULL)); /* held, and no more */
    store_give(store, &long_set);
    assert_true(store_take_one(store, 200));
    store_give_one(store, 200);
    store_free(store);

    /* With one thread there are no locks: it is that thread itself that takes nothing meanwhile. */
    store = store_new(1, 1);
    assert_true(store_take(store, &long_set));
    store_mark_busy(store, &long_set, true);
    assert_false(store_take_one(store, 1));
    assert_false(store_visit(store, 1, false, never_visited, NULL));
    store_mark_busy(store, &long_set, false);
    assert_true(store_take_one(store, 1));
    store_give_one(store, 1);
    store_give(store, &long_set);
    store_free(store);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_travel),
        cmocka_unit_test(test_evict),
        cmocka_unit_test(test_busy),
    };
    return cmocka_run_group_tests_name("shards", tests, NULL, NULL);
}
