/* SPDX-License-Identifier: BSD-3-Clause */
/* Random changes to a store and to a naive keyspace, compared after each batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model.h"

static uint64_t seed = 1;

enum { BATCH = 200 };

static unsigned below(struct model *model, unsigned n) {
    return (unsigned)rng_below(&model->rng, n);
}

static int64_t some_expiry(struct model *model) {
    switch (below(model, 5)) {
    case 0: return model->now_ms + below(model, 50);
    case 1: return model->now_ms + below(model, 100000);
    case 2: return STORE_KEEP_EXPIRY;
    default: return ENTRY_EXPIRY_NONE;
    }
}

/* Mostly short; around the limits of what lies inside an entry and of the heaps; seldom long. */
static size_t some_length(struct model *model) {
    switch (below(model, 40)) {
    case 0: return 250 + below(model, 10);
    case 1: return 990 + below(model, 40);
    case 2: return below(model, 5000);
    case 3: return below(model, 40) == 0 ? (1u << 20) + below(model, 1000) : 45;
    default: return below(model, 70);
    }
}

static size_t some_count(struct model *model) {
    switch (below(model, 40)) {
    case 0: return 100 + below(model, 60);
    case 1: return below(model, 8) == 0 ? 500 + below(model, 600) : 60;
    default: return 1 + below(model, 12);
    }
}

static void put(struct model *model, unsigned db, unsigned number) {
    static const enum value_type types[] = {TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH};
    switch (below(model, 5)) {
    case 0:
    case 1: model_put_string(model, db, number, some_length(model), some_expiry(model)); break;
    case 2:
        model_put_integer(model, db, number, (int64_t)rng_next(&model->rng) >> below(model, 64),
                          some_expiry(model));
        break;
    default:
        model_put_value(model, db, number, types[below(model, 4)], some_count(model),
                        some_expiry(model));
    }
}

/* Changes a value where it is. */
static void edit(struct model *model, unsigned db, unsigned number) {
    const struct model_key *at = &model->keys[db][number];
    if (!model_live(model, db, number) || at->type == TYPE_STRING) {
        if (model_live(model, db, number) || !at->there)
            model_edit_string(model, db, number, some_length(model));
        return;
    }
    if (at->type == TYPE_HASH && !model_writable_hash(model, db, number)) return;
    if (at->type == TYPE_HASH && below(model, 3) == 0)
        model_expire_fields(model, db, number, below(model, (unsigned)at->count + 1),
                            model->now_ms + below(model, 20000));
    else if (at->count > 1 && below(model, 2))
        model_shrink(model, db, number, below(model, (unsigned)at->count));
    else
        model_grow(model, db, number, some_count(model));
}

static void whole(struct model *model) {
    switch (below(model, 5)) {
    case 0:
        model_release(model);
        model_flush(model, below(model, 8) ? (int)below(model, MODEL_DBS) : -1, below(model, 2));
        model_hold(model);
        break;
    case 1: model_swap(model, below(model, MODEL_DBS), below(model, MODEL_DBS)); break;
    default: model->now_ms += below(model, 30000); store_note_time(model->store, model->now_ms);
    }
}

static void step(struct model *model) {
    unsigned db = below(model, MODEL_DBS), number = below(model, MODEL_NAMES);
    unsigned to_db = below(model, MODEL_DBS), to = below(model, MODEL_NAMES);
    bool live = model_live(model, db, number), elsewhere = db != to_db || number != to;
    switch (below(model, 16)) {
    case 0: model_delete(model, db, number, below(model, 2)); break;
    case 1:
    case 2:
        if (live)
            model_expire(model, db, number,
                         below(model, 3) ? model->now_ms + below(model, 10000) : ENTRY_EXPIRY_NONE);
        break;
    case 3:
        if (live && elsewhere) model_move(model, db, number, to_db, to);
        break;
    case 4:
        if (live && elsewhere) model_copy(model, db, number, to_db, to);
        break;
    case 5:
        if (below(model, 60) == 0) whole(model);
        model->now_ms += below(model, 20);
        break;
    case 6:
    case 7:
    case 8: edit(model, db, number); break;
    default: put(model, db, number);
    }
}

static void sweep_some(struct model *model) {
    unsigned from = below(model, SHARD_COUNT), count = below(model, SHARD_COUNT);
    for (unsigned i = 0; i < count; i++)
        store_sweep(model->store, (from + i) % SHARD_COUNT, model->now_ms, 1 + below(model, 100));
}

static void run(unsigned threads, unsigned batches) {
    struct model *model = model_new(seed, threads);
    for (unsigned batch = 0; batch < batches; batch++) {
        atomic_store(&store_limits(model->store)->lazy_expire, below(model, 2));
        model_hold(model);
        for (unsigned i = 0; i < BATCH; i++) step(model);
        model_release(model);
        model_check(model);
        if (below(model, 2)) sweep_some(model);
        if (below(model, 2)) model_compare(model);
        model_check(model);
    }
    struct store_stats stats;
    store_stats(model->store, false, &stats);
    assert_int_equal(stats.expired, model->expired);
    assert_true(stats.expired > 0 && model->hexpired > 0 && stats.lazy_freed > 0);
    model_free(model, batches % 2);
}

static void test_one_thread(void **state) {
    (void)state;
    run(1, 300);
}

/* The same with real locks and several heaps, so that a renamed value changes its heap. */
static void test_several_heaps(void **state) {
    (void)state;
    run(3, 151);
}

/* ---- scanning while the tables grow and shrink ---- */

enum { STEADY = 3000, PASSING = 12000 };

struct scan {
    unsigned met[STEADY];
    size_t visited;
};

static struct key scan_name(bool steady, unsigned i, char *scratch) {
    return key_make(bytes_make(scratch, (size_t)snprintf(scratch, 32, steady ? "s%u" : "p%u", i)));
}

static void scan_visit(void *element, void *context) {
    struct scan *scan = context;
    struct bytes name = entry_key(element);
    scan->visited++;
    if (name.data[0] != 's') return;
    char number[16] = {0};
    memcpy(number, name.data + 1, name.len - 1);
    scan->met[strtoul(number, NULL, 10)]++;
}

/* Adds keys until all are there, then removes them, and so on. */
struct tide {
    struct store *store;
    unsigned next;
    bool ebb;
};

static void tide_step(struct tide *tide, unsigned steps) {
    char name[32];
    while (steps-- > 0) {
        struct key key = scan_name(false, tide->next, name);
        struct entry *entry = store_find(tide->store, 0, &key, 1000);
        assert_int_equal(entry != NULL, tide->ebb);
        if (tide->ebb)
            store_delete(tide->store, 0, &key, entry, false);
        else
            store_put_integer(tide->store, 0, &key, NULL, tide->next, ENTRY_EXPIRY_NONE);
        if (++tide->next < PASSING) continue;
        tide->next = 0;
        tide->ebb = !tide->ebb;
    }
}

/* Keys that stay are met exactly once, whatever comes and goes meanwhile. */
static void test_scan(void **state) {
    struct store *store = store_new(1, 1);
    struct tide tide = {.store = store};
    struct rng rng;
    char name[32];
    (void)state;
    rng_seed(&rng, seed);
    for (unsigned i = 0; i < STEADY; i++) {
        struct key key = scan_name(true, i, name);
        store_put_integer(store, 0, &key, NULL, i, ENTRY_EXPIRY_NONE);
    }
    for (unsigned round = 0; round < 6; round++) {
        static struct scan scan;
        scan = (struct scan){0};
        unsigned most = (unsigned)rng_below(&rng, 30);
        for (unsigned i = 0; i < SHARD_COUNT; i++) {
            struct table *table = &store_shard(store, i)->dbs[0].table;
            uint64_t cursor = 0;
            do {
                cursor = table_scan(table, cursor, scan_visit, &scan);
                tide_step(&tide, (unsigned)rng_below(&rng, most + 1));
                assert_true(cursor < 1ull << TABLE_CURSOR_BITS);
            } while (cursor);
            table_check(table);
        }
        for (unsigned i = 0; i < STEADY; i++) assert_int_equal(scan.met[i], 1);
        assert_in_range(scan.visited, STEADY, STEADY + PASSING);
    }
    store_free(store);
}

/* ---- what random changes meet too seldom ---- */

/* The sanitizers' allocators end the process otherwise, where others say
 * that there is no memory. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1";
}

static void test_strings(void **state) {
    struct store *store = store_new(1, 1);
    char scratch[ENTRY_SCRATCH];
    struct key key = key_make(bytes_make("name", 4));
    (void)state;
    static const struct {
        const char *text, *encoding;
    } cases[] = {
        {"0", "int"},
        {"-9223372036854775808", "int"},
        {"9223372036854775807", "int"},
        {"9223372036854775808", "embstr"},
        {"+1", "embstr"},
        {"01", "embstr"},
        {"-0", "embstr"},
        {"1 ", "embstr"},
        {"", "embstr"},
        {"12345678901234567890123456789012345678901234", "embstr"},
        {"123456789012345678901234567890123456789012345", "raw"},
    };
    struct entry *entry = NULL;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct bytes text = bytes_make(cases[i].text, strlen(cases[i].text));
            int64_t expires_ms = round == 1 ? 5000 + i : ENTRY_EXPIRY_NONE;
            entry = store_put_string(store, 0, &key, entry, text, expires_ms);
            assert_ptr_equal(entry, store_find(store, 0, &key, 1000));
            assert_true(bytes_equal(entry_string(entry, scratch), text));
            assert_int_equal(entry_string_len(entry), text.len);
            assert_string_equal(entry_encoding(entry), cases[i].encoding);
            assert_true(entry_expiry(entry) == expires_ms);
        }
    /* No memory for it: nothing has changed. */
    size_t used = memory_used();
    assert_null(store_string_edit(store, 0, &key, &entry, SIZE_MAX / 4));
    assert_ptr_equal(entry, store_find(store, 0, &key, 1000));
    assert_int_equal(memory_used(), used);
    assert_int_equal(entry_string_len(entry), 45);
    store_free(store);
}

/* A key lives through the millisecond of its expiry, and "expired" is published once it is gone. */
static void note_event(void *context, struct shard *shard, unsigned db, const struct key *key,
                       enum event_class event_class, const char *event) {
    (void)shard, (void)db, (void)event_class;
    snprintf(context, 64, "%s %.*s", event, (int)key->name.len, key->name.data);
}

static void test_feed(void **state) {
    struct store *store = store_new(1, 1);
    struct key key = key_make(bytes_make("name", 4));
    char met[64] = "";
    (void)state;
    store_set_feed(store, note_event, met);
    store_put_integer(store, 0, &key, NULL, 7, 5000);
    assert_non_null(store_find(store, 0, &key, 5000));
    /* Nobody listens: nothing is published. */
    store_changed(store, 0, &key, EVENT_STRING, "set");
    assert_string_equal(met, "");
    store_listen(store, key.shard, 1);
    store_changed(store, 0, &key, EVENT_STRING, "set");
    assert_string_equal(met, "set name");
    assert_null(store_find(store, 0, &key, 5001));
    assert_string_equal(met, "expired name");
    store_listen(store, key.shard, -1);
    store_changed(store, 0, &key, EVENT_STRING, "set");
    assert_string_equal(met, "expired name");
    store_feed_everything(store, true);
    store_notify(store, 0, &key, EVENT_MISSED, "keymiss");
    assert_string_equal(met, "keymiss name");
    store_free(store);
}

static void test_recency(void **state) {
    struct store *store = store_new(1, 1);
    struct store_limits *limits = store_limits(store);
    struct key key = key_make(bytes_make("name", 4));
    (void)state;
    random_seed_thread(seed);
    store_note_time(store, 1000000 * 1000ll);
    struct entry *entry = store_put_integer(store, 0, &key, NULL, 7, ENTRY_EXPIRY_NONE);
    store_note_time(store, 1000090 * 1000ll);
    assert_int_equal(store_idle_seconds(store, entry), 90);
    store_touch(store, entry);
    assert_int_equal(store_idle_seconds(store, entry), 0);
    /* Over the wrap of 24 bits of seconds. */
    store_note_time(store, ((1ll << 24) + 1000000) * 1000);
    assert_int_equal(store_idle_seconds(store, entry), (1 << 24) - 90);

    atomic_store(&limits->policy, EVICT_ALLKEYS_LFU);
    store_delete(store, 0, &key, entry, false);
    entry = store_put_string(store, 0, &key, NULL, bytes_make("a", 1), ENTRY_EXPIRY_NONE);
    assert_int_equal(store_frequency(store, entry), 5);
    for (unsigned i = 0; i < 1000; i++) store_touch(store, entry);
    unsigned often = store_frequency(store, entry);
    assert_in_range(often, 12, 30);
    for (unsigned i = 0; i < 1000000; i++) store_touch(store, entry);
    assert_in_range(store_frequency(store, entry), often + 100, 255);
    /* One less each minute, none below 0; none at all without a decay. */
    often = store_frequency(store, entry);
    store_note_time(store, ((1ll << 24) + 1000000 + 180) * 1000);
    assert_int_equal(store_frequency(store, entry), often - 3);
    atomic_store(&limits->lfu_decay_minutes, 3);
    assert_int_equal(store_frequency(store, entry), often - 1);
    atomic_store(&limits->lfu_decay_minutes, 0);
    assert_int_equal(store_frequency(store, entry), often);
    atomic_store(&limits->lfu_decay_minutes, 1);
    store_note_time(store, ((1ll << 24) + 1000000 + 60 * 300) * 1000);
    assert_int_equal(store_frequency(store, entry), 0);
    store_free(store);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread), cmocka_unit_test(test_several_heaps),
        cmocka_unit_test(test_scan),       cmocka_unit_test(test_strings),
        cmocka_unit_test(test_feed),       cmocka_unit_test(test_recency),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
