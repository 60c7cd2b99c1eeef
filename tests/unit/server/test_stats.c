/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/stats.h"

enum { THREADS = 4, ROUNDS = 100000 };

static void *count(void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        stats_count(STAT_COMMANDS);
        stats_add(STAT_CLIENTS, i % 2 ? -1 : 1);
    }
    return NULL;
}

static void threads_lose_nothing(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    stats_add(STAT_CLIENTS, 3);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(stats_read(STAT_COMMANDS), THREADS * ROUNDS);
    assert_int_equal(stats_read(STAT_CLIENTS), 3);
}

static void a_reset_spares_gauges(void **state) {
    (void)state;
    stats_add(STAT_CHANGES, 5);
    stats_reset();
    assert_int_equal(stats_read(STAT_COMMANDS), 0);
    assert_int_equal(stats_read(STAT_CLIENTS), 3);
    assert_int_equal(stats_read(STAT_CHANGES), 5);
    stats_count(STAT_COMMANDS);
    assert_int_equal(stats_read(STAT_COMMANDS), 1);
}

static void a_steady_rate_is_found(void **state) {
    (void)state;
    int64_t now_us = 1000000;
    stats_sample(now_us);
    for (int i = 0; i < 16; i++) {
        stats_add(STAT_COMMANDS, 50);
        stats_sample(now_us += 100000);
    }
    assert_int_equal(stats_rate(STATS_RATE_COMMANDS), 500);
    for (int i = 0; i < 16; i++) stats_sample(now_us += 100000);
    assert_int_equal(stats_rate(STATS_RATE_COMMANDS), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(a_reset_spares_gauges),
        cmocka_unit_test(a_steady_rate_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
