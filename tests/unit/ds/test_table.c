/* SPDX-License-Identifier: BSD-3-Clause */
/* The table against a naive model: random additions, removals, replacements,
 * scans, samples and sweeps. */
#include "ds/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"

enum { UNIVERSE = 20000 };

struct item {
    uint64_t hash;
    uint64_t due;
    bool present, marked;
    unsigned seen;
};

static struct item items[UNIVERSE];
static struct rng rng;

static uint64_t item_hash(const void *element) {
    return ((const struct item *)element)->hash;
}

static struct item *find(const struct table *table, uint64_t hash, const struct item *wanted) {
    struct table_probe probe;
    for (struct item *e = table_first(table, hash, &probe); e != NULL; e = table_next(&probe))
        if (e == wanted) return e;
    return NULL;
}

static void add(struct table *table, struct item *item) {
    item->present = true;
    item->marked = rng_below(&rng, 2);
    table_add(table, item->hash, item, item->marked ? TABLE_MARK_1 : 0);
    if (item->marked) {
        item->due = rng_below(&rng, 1000);
        table_note_due(table, item->hash, item->due);
    }
}

static void drop(struct table *table, struct item *item) {
    table_remove(table, item->hash, item);
    item->present = false;
}

static void fill(uint64_t seed) {
    rng_seed(&rng, seed);
    for (int i = 0; i < UNIVERSE; i++) items[i] = (struct item){.hash = rng_next(&rng)};
}

static void verify(const struct table *table) {
    size_t count = 0;
    table_check(table);
    for (int i = 0; i < UNIVERSE; i++) {
        assert_int_equal(find(table, items[i].hash, &items[i]) != NULL, items[i].present);
        count += items[i].present;
        items[i].seen = 0;
    }
    assert_int_equal(table_count(table), count);
    struct table_iter iter;
    table_iter_init(&iter, table);
    for (struct item *e = table_iter_next(&iter); e != NULL; e = table_iter_next(&iter)) e->seen++;
    for (int i = 0; i < UNIVERSE; i++) assert_int_equal(items[i].seen, items[i].present);
}

static void grows_and_shrinks(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct table table;
        fill(seed);
        table_init(&table, item_hash);
        for (int phase = 0; phase < 8; phase++) {
            unsigned likely = phase % 2 ? 10 : 90;
            for (int i = 0; i < UNIVERSE; i++) {
                struct item *item = &items[rng_below(&rng, UNIVERSE)];
                bool want = rng_below(&rng, 100) < likely;
                if (want && !item->present)
                    add(&table, item);
                else if (!want && item->present)
                    drop(&table, item);
            }
            verify(&table);
        }
        for (int i = 0; i < UNIVERSE; i++)
            if (items[i].present) drop(&table, &items[i]);
        verify(&table);
        table_done(&table);
    }
}

static void see(void *element, void *context) {
    (void)context;
    ((struct item *)element)->seen++;
}

static void scan_meets_every_element_that_stays(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct table table;
        fill(seed);
        table_init(&table, item_hash);
        int stay = 1 + (int)rng_below(&rng, UNIVERSE / 2);
        for (int i = 0; i < stay; i++) add(&table, &items[i]);
        if (seed % 2)
            for (int i = stay; i < UNIVERSE; i++) add(&table, &items[i]);
        uint64_t cursor = 0;
        int next = stay;
        do {
            cursor = table_scan(&table, cursor, see, NULL);
            for (int i = 0; i < 40 && next < UNIVERSE; i++, next++) {
                if (seed % 2)
                    drop(&table, &items[next]);
                else
                    add(&table, &items[next]);
            }
        } while (cursor != 0);
        for (int i = 0; i < stay; i++) assert_int_equal(items[i].seen, 1);
        table_check(&table);
        table_done(&table);
    }
}

static void elements_of_one_hash_prefix_live_together(void **state) {
    (void)state;
    struct table table;
    fill(7);
    table_init(&table, item_hash);
    /* The same tag for hundreds of elements: probing goes the whole way round,
     * and splits help in the end. */
    for (int i = 0; i < 600; i++) {
        items[i].hash = 0xabcd000000000000ull | (items[i].hash >> 20);
        add(&table, &items[i]);
    }
    verify(&table);
    for (int i = 0; i < 600; i += 2) drop(&table, &items[i]);
    verify(&table);
    table_done(&table);
}

static uint64_t item_due(const void *element, void *context) {
    (void)context;
    return ((const struct item *)element)->due;
}

static void sweep_finds_what_is_due(void **state) {
    (void)state;
    struct table table;
    fill(9);
    table_init(&table, item_hash);
    for (int i = 0; i < UNIVERSE; i++) add(&table, &items[i]);
    for (uint64_t now = 0; now <= 1000; now += 50) {
        struct table_sweep sweep = {
            .now = now, .marks = TABLE_MARK_1, .most = 5000, .due = item_due};
        do {
            void *due[16];
            unsigned found = table_sweep(&table, &sweep, due, 16);
            for (unsigned i = 0; i < found; i++) {
                struct item *item = due[i];
                assert_true(item->marked && item->due <= now);
                drop(&table, item);
            }
        } while (!sweep.finished);
        for (int i = 0; i < UNIVERSE; i++)
            assert_false(items[i].present && items[i].marked && items[i].due <= now);
    }
    verify(&table);
    table_done(&table);
}

static uint64_t throw(void *context) {
    return rng_next(context);
}

static void random_choice_is_fair(void **state) {
    (void)state;
    struct table table;
    fill(11);
    table_init(&table, item_hash);
    enum { SOME = 3000, THROWS = 300000 };
    for (int i = 0; i < SOME; i++) add(&table, &items[i]);
    for (int i = 0; i < THROWS; i++) ((struct item *)table_random(&table, throw, &rng))->seen++;
    double chi2 = 0, expected = (double)THROWS / SOME;
    for (int i = 0; i < SOME; i++)
        chi2 += (items[i].seen - expected) * (items[i].seen - expected) / expected;
    assert_true(chi2 <
                SOME + 5 * 77.5); /* five standard deviations of chi squared with 3000 degrees */
    void *sample[16];
    assert_int_equal(table_sample(&table, rng_next(&rng), 0, sample, 16), 16);
    unsigned found = table_sample(&table, rng_next(&rng), TABLE_MARK_1, sample, 16);
    for (unsigned i = 0; i < found; i++) assert_true(((struct item *)sample[i])->marked);
    table_done(&table);
}

static void marks_follow_replacement(void **state) {
    (void)state;
    struct table table;
    fill(13);
    table_init(&table, item_hash);
    for (int i = 0; i < 1000; i++) add(&table, &items[i]);
    struct item other = items[5];
    unsigned before = table_marks(&table, items[5].hash, &items[5]);
    assert_int_equal(before, items[5].marked ? TABLE_MARK_1 : 0);
    table_replace(&table, other.hash, &items[5], &other, TABLE_MARK_2);
    assert_ptr_equal(find(&table, other.hash, &other), &other);
    assert_int_equal(table_marks(&table, other.hash, &other), TABLE_MARK_2);
    table_check(&table);
    table_done(&table);
}

static void memory_comes_back(void **state) {
    (void)state;
    struct table table;
    size_t before = memory_used();
    fill(17);
    table_init(&table, item_hash);
    for (int i = 0; i < UNIVERSE; i++) add(&table, &items[i]);
    double slot_bytes = (double)table_bytes(&table) / UNIVERSE;
    assert_true(slot_bytes < 11.5);
    for (int i = 0; i < UNIVERSE; i++) drop(&table, &items[i]);
    assert_true(table_bytes(&table) < 1024);
    table_done(&table);
    assert_int_equal(memory_used(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_shrinks),
        cmocka_unit_test(scan_meets_every_element_that_stays),
        cmocka_unit_test(elements_of_one_hash_prefix_live_together),
        cmocka_unit_test(sweep_finds_what_is_due),
        cmocka_unit_test(random_choice_is_fair),
        cmocka_unit_test(marks_follow_replacement),
        cmocka_unit_test(memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
