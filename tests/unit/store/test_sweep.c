/* SPDX-License-Identifier: BSD-3-Clause */
/* The expiry sweep, by a clock that the test sets: what is due goes,
 * once, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "model.h"

static uint64_t seed = 1;

static unsigned below(struct model *model, unsigned n) {
    return (unsigned)rng_below(&model->rng, n);
}

/* Sweeps until nothing more is due; returns how many steps that took. */
static unsigned sweep_all(struct model *model, unsigned most) {
    unsigned steps = 0;
    for (unsigned i = 0; i < SHARD_COUNT; i++) do
            steps++;
        while (store_sweep(model->store, i, model->now_ms, most));
    return steps;
}

static size_t count_due(const struct model *model) {
    size_t due = 0;
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++)
            due += model->keys[db][i].there && !model_live(model, db, i);
    return due;
}

static size_t count_fields_due(const struct model *model) {
    size_t due = 0;
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++) {
            const struct model_key *at = &model->keys[db][i];
            if (at->there && at->type == TYPE_HASH && at->due_ms < model->now_ms)
                due += at->due_count;
        }
    return due;
}

static void fill(struct model *model) {
    for (unsigned db = 0; db < MODEL_DBS; db++)
        for (unsigned i = 0; i < MODEL_NAMES; i++) {
            int64_t expires_ms = ENTRY_EXPIRY_NONE;
            if (below(model, 3)) expires_ms = model->now_ms + below(model, 1000);
            if (below(model, 4)) {
                model_put_string(model, db, i, below(model, 60), expires_ms);
            } else {
                unsigned count = 1 + below(model, 150);
                model_put_value(model, db, i, TYPE_HASH, count, expires_ms);
                model_expire_fields(model, db, i, below(model, count + 1),
                                    model->now_ms + below(model, 1000));
            }
        }
}

/* Sweeps along a clock that ticks; in between lifetimes change, keys go, databases are swapped. */
static void run(unsigned threads, unsigned most) {
    struct model *model = model_new(seed, threads);
    model_hold(model);
    fill(model);
    model_release(model);
    size_t due = 0, fields = 0;
    for (unsigned tick = 0; tick < 40; tick++) {
        model->now_ms += below(model, 60);
        atomic_store(&store_limits(model->store)->lazy_expire, tick % 2);
        due = model->expired + count_due(model);
        fields += count_fields_due(model);
        /* Of a key that goes as a whole, fields are not counted. */
        sweep_all(model, most);
        assert_int_equal(model->expired, due);
        assert_int_equal(count_due(model), 0);
        assert_int_equal(count_fields_due(model), 0);
        model_check(model);
        model_hold(model);
        for (unsigned i = 0; i < 100; i++) {
            unsigned db = below(model, MODEL_DBS), number = below(model, MODEL_NAMES);
            if (!model_live(model, db, number)) continue;
            switch (below(model, 4)) {
            case 0: model_expire(model, db, number, model->now_ms + below(model, 500)); break;
            case 1: model_expire(model, db, number, ENTRY_EXPIRY_NONE); break;
            case 2: model_delete(model, db, number, true); break;
            default: model_put_string(model, db, number, 10, model->now_ms + below(model, 500));
            }
        }
        if (tick % 8 == 5) model_swap(model, 0, 1 + tick % 2);
        model_release(model);
    }
    model_compare(model);
    struct store_stats stats;
    store_stats(model->store, false, &stats);
    assert_int_equal(stats.expired, model->expired);
    assert_true(stats.expired_fields > 100 && stats.expired_fields <= fields);
    assert_true(model->expired > 500 && model->hexpired > 50);
    store_reset_stats(model->store, false);
    store_stats(model->store, false, &stats);
    assert_int_equal(stats.expired + stats.expired_fields, 0);
    model_free(model, true);
}

static void test_clock(void **state) {
    (void)state;
    run(1, 1000);
    run(1, 1);
    run(2, 20);
}

/* The millisecond of its expiry still belongs to a key, and to a field. */
static void test_last_millisecond(void **state) {
    struct model *model = model_new(seed, 1);
    (void)state;
    model_put_string(model, 0, 1, 5, model->now_ms + 10);
    model_put_value(model, 0, 2, TYPE_HASH, 3, ENTRY_EXPIRY_NONE);
    model_expire_fields(model, 0, 2, 1, model->now_ms + 10);
    model->now_ms += 10;
    sweep_all(model, 100);
    assert_int_equal(model->expired + model->hexpired, 0);
    model->now_ms++;
    sweep_all(model, 100);
    assert_int_equal(model->expired, 1);
    assert_int_equal(model->hexpired, 1);
    /* The last fields take their key with them. */
    model_expire_fields(model, 0, 2, 2, model->now_ms);
    model->now_ms++;
    sweep_all(model, 100);
    assert_false(model->keys[0][2].there);
    model_free(model, false);
}

/* A step looks at about as many keys as it was told to: whoever is due in
 * one shard goes in several. */
static void test_bounded(void **state) {
    enum { KEYS = 5000 };
    struct store *store = store_new(1, 1);
    char name[32];
    unsigned shard = 0, steps = 1;
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        struct key key =
            key_make(bytes_make(name, (size_t)snprintf(name, sizeof name, "{tag}%u", i)));
        store_put_integer(store, 0, &key, NULL, i, 1000);
        shard = key.shard;
    }
    struct store_stats before, after;
    store_stats(store, false, &before);
    for (; store_sweep(store, shard, 2000, 100); steps++) {
        store_stats(store, false, &after);
        /* A bucket more, since buckets are looked at whole. */
        assert_in_range(after.expired - before.expired, 0, 100 + TABLE_BUCKET_SLOTS);
        before = after;
    }
    store_stats(store, false, &after);
    assert_int_equal(after.expired, KEYS);
    assert_in_range(steps, KEYS / 108, KEYS / 10);
    store_free(store);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_last_millisecond),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
