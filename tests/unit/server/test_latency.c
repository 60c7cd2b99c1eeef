/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ticks.h"
#include "server/latency.h"

static void buckets_grow_with_what_they_hold(void **state) {
    (void)state;
    unsigned last = 0;
    for (uint64_t ticks = 0; ticks < 100000; ticks++) {
        unsigned bucket = latency_bucket(ticks);
        assert_true(bucket == last || bucket == last + 1);
        last = bucket;
    }
    for (int shift = 0; shift < 64; shift++) {
        assert_true(latency_bucket(1ull << shift) < LATENCY_BUCKETS);
        assert_true(latency_bucket(1ull << shift) >=
                    (shift ? latency_bucket(1ull << (shift - 1)) : 0));
    }
    assert_int_equal(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void percentiles_are_right_within_an_eighth(void **state) {
    (void)state;
    static struct latency latency;
    static struct latency_sum sum;
    enum { COUNT = 100000, STEP = 1000 };
    ticks_calibrate();
    for (uint64_t i = 1; i <= COUNT; i++) latency_note(&latency, i * STEP);
    latency_add(&sum, &latency);
    assert_int_equal(sum.total, COUNT);
    static const double percentages[] = {0.01, 1, 50, 90, 99, 99.9, 100};
    for (size_t i = 0; i < sizeof percentages / sizeof *percentages; i++) {
        double exact_ticks = COUNT * STEP * percentages[i] / 100;
        double exact_us = (double)ticks_to_us((uint64_t)exact_ticks * 1000) / 1000;
        double found_us = latency_percentile_us(&sum, percentages[i]);
        assert_true(found_us >= exact_us * 0.99 && found_us <= exact_us * 1.13);
    }
    latency_reset(&latency);
    sum = (struct latency_sum){0};
    latency_add(&sum, &latency);
    assert_int_equal(sum.total, 0);
    assert_true(latency_percentile_us(&sum, 50) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_grow_with_what_they_hold),
        cmocka_unit_test(percentiles_are_right_within_an_eighth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
