/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"
#include "ds/intset.h"

enum { NUMBERS = 64, ROUNDS = 20000 };

static uint64_t seed = 1;

/* Numbers around the borders of all three widths. */
static int64_t pick(struct rng *rng) {
    static const int64_t centres[] = {0,         INT16_MIN,     INT16_MAX,    INT32_MIN,
                                      INT32_MAX, INT64_MIN + 8, INT64_MAX - 8};
    return centres[rng_below(rng, 7)] + (int64_t)rng_below(rng, 9) - 4;
}

static void test_against_model(void **state) {
    (void)state;
    struct rng rng;
    struct heap *heap = heap_new();
    struct intset set;
    int64_t model[NUMBERS];
    size_t count = 0;
    rng_seed(&rng, seed);
    intset_init(&set);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t number = pick(&rng);
        size_t at = 0;
        while (at < count && model[at] != number) at++;
        if (rng_below(&rng, 2) && count < NUMBERS) {
            assert_int_equal(intset_add(&set, heap, number), at == count);
            if (at == count) model[count++] = number;
        } else {
            assert_int_equal(intset_remove(&set, heap, number), at < count);
            if (at < count) model[at] = model[--count];
        }
        intset_check(&set);
        assert_int_equal(intset_count(&set), count);
        for (size_t i = 0; i < count; i++) assert_true(intset_find(&set, model[i], NULL));
    }
    struct intset copy;
    intset_copy(&set, heap, &copy);
    intset_check(&copy);
    assert_int_equal(intset_count(&copy), count);
    for (size_t i = 0; i < count; i++) assert_int_equal(intset_at(&copy, i), intset_at(&set, i));
    intset_done(&copy, heap);
    intset_done(&set, heap);
    struct heap_stats stats;
    heap_stats(heap, &stats);
    assert_int_equal(stats.object_bytes, 0);
    heap_free(heap);
}

static void test_widths(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct intset set;
    intset_init(&set);
    for (int i = 0; i < 100; i++) assert_true(intset_add(&set, heap, i));
    assert_int_equal(set.width, 2);
    assert_true(intset_bytes(&set) <= 240);
    intset_add(&set, heap, 40000);
    assert_int_equal(set.width, 4);
    intset_add(&set, heap, INT64_MIN);
    assert_int_equal(set.width, 8);
    assert_int_equal(intset_at(&set, 0), INT64_MIN);
    assert_int_equal(intset_at(&set, 101), 40000);
    intset_check(&set);
    while (intset_count(&set)) intset_remove_at(&set, heap, intset_count(&set) / 2);
    assert_int_equal(intset_bytes(&set), 0);
    heap_free(heap);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
