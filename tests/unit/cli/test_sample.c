/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples: whose members they have, and whether their intervals hold the truth
 *          as often as they promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cli/sample.h"
#include "cli/seen.h"

static struct rng rng;

static void test_lowest_hashes(void **state) {
    enum { KEYS = 5000, LIMIT = 100 };
    static uint64_t hashes[KEYS];
    struct sample sample;
    (void)state;
    sample_init(&sample, LIMIT);
    for (int i = 0; i < KEYS; i++) hashes[i] = rng_next(&rng);
    /* Everything twice, in two orders: a repeat changes nothing. */
    for (int i = 0; i < 2 * KEYS; i++) {
        uint64_t hash = i < KEYS ? hashes[i] : hashes[2 * KEYS - 1 - i];
        struct measure measure = {.hash = hash, .bytes = 1};
        if (sample_wants(&sample, hash)) sample_add(&sample, &measure);
    }
    assert_int_equal(sample.count, LIMIT);
    for (size_t i = 0; i < LIMIT; i++) {
        size_t lower = 0;
        for (int j = 0; j < KEYS; j++) lower += hashes[j] < sample.members[i].hash;
        assert_true(lower < LIMIT);
        for (size_t j = 0; j < i; j++)
            assert_true(sample.members[i].hash != sample.members[j].hash);
    }
    sample_done(&sample);
}

static void test_all(void **state) {
    struct sample sample;
    struct sums sums;
    (void)state;
    sample_init(&sample, 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct measure measure = {.hash = i, .bytes = i, .type = PATTERN_TYPE_HASH};
        if (i < 10) measure.traits = 1 << TRAIT_VANISHED;
        if (i >= 990) measure.traits = 1 << TRAIT_REFUSED;
        assert_true(sample_wants(&sample, i));
        sample_add(&sample, &measure);
    }
    sample_sum(&sample, &sums);
    assert_int_equal(sums.measured, 990);
    assert_int_equal(sums.types[PATTERN_TYPE_HASH], 980);
    assert_int_equal(sums.traits[TRAIT_VANISHED], 10);
    assert_int_equal(sums.traits[TRAIT_REFUSED], 10);
    assert_int_equal(sums.bytes_most, 989);
    assert_true(estimate_total(&sums, 990, 0).exact);
    assert_false(estimate_total(&sums, 1000, 0).exact);
}

/* How often the intervals hold the truth, in percent, for a share and for a total. */
static void coverage(size_t keys, size_t limit, double share, double *ret_count,
                     double *ret_total) {
    enum { ROUNDS = 1000 };
    unsigned counted = 0, totalled = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct sample sample;
        struct sums sums;
        uint64_t found = 0, bytes = 0, names = 0;
        sample_init(&sample, limit);
        for (size_t i = 0; i < keys; i++) {
            struct measure measure = {.hash = rng_next(&rng), .name_len = 10 + i % 7};
            measure.bytes = measure.name_len + 50 + rng_below(&rng, 500);
            if ((double)rng_below(&rng, 1000000) < share * 1e6)
                measure.traits = 1 << TRAIT_IMMORTAL;
            found += measure.traits != 0;
            bytes += measure.bytes;
            names += measure.name_len;
            if (sample_wants(&sample, measure.hash)) sample_add(&sample, &measure);
        }
        sample_sum(&sample, &sums);
        struct estimate count = estimate_count(sums.traits[TRAIT_IMMORTAL], sums.measured, keys);
        struct estimate total = estimate_total(&sums, keys, names);
        assert_true(count.low <= count.value && count.value <= count.high);
        assert_true(count.low >= 0 && count.high <= (double)keys);
        counted += count.low <= (double)found && (double)found <= count.high;
        totalled += total.low <= (double)bytes && (double)bytes <= total.high;
        sample_done(&sample);
    }
    *ret_count = 100.0 * counted / ROUNDS;
    *ret_total = 100.0 * totalled / ROUNDS;
}

static void test_intervals(void **state) {
    static const struct {
        size_t keys, limit;
        double share;
    } rows[] = {
        {500, 100, 0.5}, {1000, 100, 0.1}, {1000, 400, 0.03}, {2000, 50, 0.9}, {300, 100, 0.0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double count, total;
        coverage(rows[i].keys, rows[i].limit, rows[i].share, &count, &total);
        /* 95 is promised; four standard deviations of a thousand rounds are 3. */
        if (count < 91 || total < 91)
            fail_msg("row %zu: counts %.1f %%, totals %.1f %%", i, count, total);
    }
}

static void test_edges(void **state) {
    (void)state;
    assert_true(estimate_count(3, 7, 7).exact);
    assert_false(estimate_count(0, 0, 5).known);
    assert_true(estimate_count(0, 0, 0).known);
    struct estimate none = estimate_count(0, 100, 10000);
    assert_true(none.value == 0 && none.low == 0 && none.high > 100 && none.high < 700);
    struct estimate every = estimate_count(100, 100, 10000);
    assert_true(every.high == 10000 && every.low > 9300);
    assert_int_equal(span_of(-1), SPAN_NONE);
    assert_int_equal(span_of(59999), SPAN_MINUTE);
    assert_int_equal(span_of(60000), SPAN_HOUR);
    assert_int_equal(span_of(INT64_MAX), SPAN_LONGER);
}

static void test_seen(void **state) {
    struct seen *seen = seen_new();
    (void)state;
    for (uint64_t i = 0; i < 3 * SEEN_KEYS; i++) {
        uint64_t hash = i * UINT64_C(0x9e3779b97f4a7c15);
        assert_false(seen_before(seen, hash));
        if (i >= 1000) assert_true(seen_before(seen, (i - 1000) * UINT64_C(0x9e3779b97f4a7c15)));
    }
    for (uint64_t i = 2 * SEEN_KEYS; i < 3 * SEEN_KEYS; i++)
        assert_true(seen_before(seen, i * UINT64_C(0x9e3779b97f4a7c15)));
    seen_free(seen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest_hashes), cmocka_unit_test(test_all),
        cmocka_unit_test(test_intervals),     cmocka_unit_test(test_edges),
        cmocka_unit_test(test_seen),
    };
    const char *seed = getenv("SEED");
    uint64_t value = seed ? strtoull(seed, NULL, 10) : random_next() % 1000000 + 1;
    rng_seed(&rng, value);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    print_message("# SEED=%llu\n", (unsigned long long)value);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
