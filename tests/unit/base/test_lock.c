/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks under contention, generators of random numbers, chains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chain.h"
#include "base/lock.h"
#include "base/random.h"

enum { THREADS = 4, ROUNDS = 50000 };

static struct lock counter_lock;
static unsigned long counter;

static void *count(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3 == 0) {
            while (!lock_try_take(&counter_lock)) usleep(0);
        } else {
            lock_take(&counter_lock);
        }
        lock_assert_held(&counter_lock);
        counter++;
        lock_give(&counter_lock);
    }
    return unused;
}

static void test_contention(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    lock_init(&counter_lock);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(counter, (unsigned long)THREADS * ROUNDS);
    assert_int_equal(counter_lock.state, 0);
}

static void *wait_for_it(void *flag) {
    lock_take(&counter_lock);
    *(int *)flag += 1;
    lock_give(&counter_lock);
    return NULL;
}

/* Waiters that fell asleep in the kernel are all woken. */
static void test_sleepers(void **state) {
    pthread_t threads[THREADS];
    int woken = 0;
    (void)state;
    lock_take(&counter_lock);
    assert_false(lock_try_take(&counter_lock));
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, wait_for_it, &woken);
    while (atomic_load(&counter_lock.state) != 2) usleep(100);
    lock_give(&counter_lock);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(woken, THREADS);
}

static void test_random(void **state) {
    struct rng a, b;
    unsigned seen[10] = {0};
    (void)state;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    for (int i = 0; i < 1000; i++) assert_true(rng_next(&a) == rng_next(&b));
    rng_seed(&b, 8);
    assert_true(rng_next(&a) != rng_next(&b));
    for (int i = 0; i < 100000; i++) seen[rng_below(&a, 10)]++;
    for (int i = 0; i < 10; i++) assert_in_range(seen[i], 9500, 10500);
    assert_int_equal(rng_below(&a, 0), 0);
    assert_int_equal(rng_below(&a, 1), 0);
    for (int i = 0; i < 1000; i++) assert_true(random_unit() >= 0 && random_unit() < 1);
}

struct item {
    int value;
    struct chain_link link;
};

static void test_chain(void **state) {
    enum { ITEMS = 20 };
    struct item items[ITEMS] = {0};
    int model[ITEMS], count_in_model = 0;
    struct chain chain;
    (void)state;
    chain_init(&chain);
    for (int i = 0; i < ITEMS; i++) items[i].value = i;
    for (int round = 0; round < 20000; round++) {
        int i = (int)random_below(ITEMS), at = 0;
        while (at < count_in_model && model[at] != i) at++;
        bool in = at < count_in_model;
        assert_int_equal(chain_linked(&items[i].link), in);
        if (in) {
            chain_remove(&chain, &items[i].link);
            chain_remove(&chain, &items[i].link);
            memmove(model + at, model + at + 1,
                    (size_t)(count_in_model - at - 1) * sizeof model[0]);
            count_in_model--;
        } else if (random_below(2)) {
            chain_add_last(&chain, &items[i].link);
            model[count_in_model++] = i;
        } else {
            chain_add_first(&chain, &items[i].link);
            memmove(model + 1, model, (size_t)count_in_model * sizeof model[0]);
            model[0] = i;
            count_in_model++;
        }
        assert_int_equal(chain.count, count_in_model);
        int walked = 0;
        CHAIN_EACH(&chain, struct item, link, item) {
            assert_int_equal(item->value, model[walked++]);
        }
        assert_int_equal(walked, count_in_model);
    }
    CHAIN_EACH(&chain, struct item, link, item) {
        chain_remove(&chain, &item->link);
    }
    assert_null(chain_pop_first(&chain));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_contention),
                                       cmocka_unit_test(test_sleepers),
                                       cmocka_unit_test(test_random), cmocka_unit_test(test_chain)};
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
