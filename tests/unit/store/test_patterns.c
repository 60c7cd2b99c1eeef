/* SPDX-License-Identifier: BSD-3-Clause */
/* Catalogs in force: what is counted for each pattern equals a full recount,
 * through every kind of change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "catalog/diagnostics.h"
#include "store/admin.h"
#include "store/patterns.h"
#include "store/shard.h"
#include "types/list.h"

enum { DBS = 3, NAMES = 400, NUMBERS_MAX = 16, NAME_MAX_LEN = 64 };

static uint64_t seed = 1;

struct world {
    struct store *store;
    struct rng rng;
    int64_t now_ms;
    struct evict_pool *pool;
};

/* ---- catalogs ---- */

struct loaded {
    struct catalog *catalog;
    struct matcher *matcher;
};

static int loaded_count;

static void loaded_release(void *context) {
    struct loaded *loaded = context;
    matcher_free(loaded->matcher);
    catalog_free(loaded->catalog);
    free(loaded);
    loaded_count--;
}

struct row {
    const char *name, *template;
    enum eviction_class eviction;
    int database;
};

static void load(struct world *world, const struct row *rows, size_t count,
                 const unsigned *continues) {
    struct loaded *loaded = calloc(1, sizeof *loaded);
    struct diagnostics *diagnostics = diagnostics_new();
    loaded->catalog = catalog_new("test.yaml");
    for (size_t i = 0; i < count; i++) {
        struct template_error error;
        struct pattern *pattern = catalog_add_pattern(loaded->catalog);
        pattern->name = rows[i].name;
        pattern->eviction = rows[i].eviction;
        if (rows[i].database) {
            catalog_add_database(loaded->catalog, pattern, (uint32_t)rows[i].database);
        }
        assert_true(template_parse(bytes_from_string(rows[i].template), NULL, 0,
                                   &loaded->catalog->arena, &pattern->key.template, &error));
    }
    assert_true(catalog_finish(loaded->catalog, diagnostics));
    const struct catalog *catalogs[] = {loaded->catalog};
    loaded->matcher = matcher_new(catalogs, 1, diagnostics);
    assert_non_null(loaded->matcher);
    diagnostics_free(diagnostics);
    loaded_count++;
    struct catalogs_in_force force = {
        .matcher = loaded->matcher,
        .continues = continues,
        .release = loaded_release,
        .context = loaded,
    };
    assert_true(store_set_catalogs(world->store, &force));
}

static const struct row first_rows[] = {
    {"queue", "q:{name}", EVICTION_NEVER, 0},
    {"cache", "c:{kind}:{id}", EVICTION_CACHE, 0},
    {"session", "s:{id}", EVICTION_NORMAL, 0},
};
static const unsigned first_continues[] = {0, 0, 0, 0};
/* Other numbers, one pattern less, one more, and one that is in a database of its own. */
static const struct row second_rows[] = {
    {"session", "s:{id}", EVICTION_NORMAL, 0},
    {"cameras", "c:camera:{id}", EVICTION_CACHE, 0},
    {"cache", "c:{kind}:{id}", EVICTION_CACHE, 0},
    {"archive", "c:{what}:{number}", EVICTION_NORMAL, 2},
};
static const unsigned second_continues[] = {0, 3, 0, 2, 0};

/* ---- the keyspace ---- */

static unsigned below(struct world *world, unsigned n) {
    return (unsigned)rng_below(&world->rng, n);
}

static struct key name_of(unsigned number, char out[NAME_MAX_LEN]) {
    static const char *const forms[] = {"q:%u", "c:camera:%u", "c:user:%u", "s:%u", "other:%u"};
    int len = snprintf(out, NAME_MAX_LEN, forms[number % 5], number / 10);
    return key_make(bytes_make(out, (size_t)len));
}

static struct world *world_new(void) {
    struct world *world = calloc(1, sizeof *world);
    world->store = store_new(DBS, 1);
    rng_seed(&world->rng, seed);
    world->now_ms = 1000000;
    world->pool = evict_pool_new();
    return world;
}

static void world_free(struct world *world) {
    evict_pool_free(world->pool);
    store_free(world->store);
    free(world);
    assert_int_equal(loaded_count, 0);
}

static void put(struct world *world, unsigned db, const struct key *key) {
    struct entry *old = store_find(world->store, db, key, world->now_ms);
    char text[600];
    size_t len = below(world, 4) ? below(world, 40) : below(world, sizeof text);
    memset(text, 'x', sizeof text);
    int64_t expires_ms =
        below(world, 3) ? ENTRY_EXPIRY_NONE : world->now_ms + 1 + below(world, 3000);
    switch (below(world, 3)) {
    case 0: store_put_string(world->store, db, key, old, bytes_make(text, len), expires_ms); break;
    case 1: store_put_integer(world->store, db, key, old, below(world, 1000), expires_ms); break;
    default: {
        struct list *list = list_new(store_heap(world->store, key));
        list_push(list, LIST_TAIL, bytes_make(text, len));
        store_put_value(world->store, db, key, old, TYPE_LIST, list, expires_ms);
        /* It is filled after it was put, as some commands do. */
        list_push(list, LIST_TAIL, bytes_make(text, len / 2));
    }
    }
}

static void edit(struct world *world, unsigned db, const struct key *key) {
    struct entry *entry = store_find(world->store, db, key, world->now_ms);
    char text[300];
    memset(text, 'y', sizeof text);
    if (entry == NULL || entry_type(entry) == TYPE_STRING) {
        assert_non_null(store_string_edit(world->store, db, key, &entry, below(world, 700)));
        return;
    }
    struct list *list = entry_value(entry);
    store_open(world->store, db, entry);
    for (unsigned i = below(world, 30); i > 0; i--)
        list_push(list, LIST_HEAD, bytes_make(text, below(world, sizeof text)));
    if (below(world, 3) == 0) store_delete(world->store, db, key, entry, below(world, 2));
}

static void transfer(struct world *world, unsigned db, const struct key *key, bool copy) {
    char other_name[NAME_MAX_LEN];
    struct key other = name_of(below(world, NAMES), other_name);
    unsigned other_db = below(world, DBS);
    if (other_db == db && bytes_equal(other.name, key->name)) return;
    struct entry *entry = store_find(world->store, db, key, world->now_ms);
    if (entry == NULL) return;
    struct entry *there = store_find(world->store, other_db, &other, world->now_ms);
    if (there) store_delete(world->store, other_db, &other, there, false);
    if (copy)
        store_copy(world->store, entry, other_db, &other);
    else
        store_move(world->store, db, key, entry, other_db, &other);
}

static void change(struct world *world) {
    char name[NAME_MAX_LEN];
    struct key key = name_of(below(world, NAMES), name);
    unsigned db = below(world, DBS);
    struct entry *entry;
    switch (below(world, 12)) {
    case 0:
    case 1:
    case 2:
    case 3: put(world, db, &key); break;
    case 4:
    case 5: edit(world, db, &key); break;
    case 6:
    case 7: transfer(world, db, &key, below(world, 2)); break;
    case 8:
        entry = store_find(world->store, db, &key, world->now_ms);
        if (entry) store_delete(world->store, db, &key, entry, below(world, 2));
        break;
    case 9:
        entry = store_find(world->store, db, &key, world->now_ms);
        if (entry)
            store_set_expiry(world->store, db, &key, entry,
                             below(world, 2) ? ENTRY_EXPIRY_NONE : world->now_ms + 500);
        break;
    case 10: world->now_ms += below(world, 30); break;
    default: store_sweep(world->store, below(world, SHARD_COUNT), world->now_ms, 64);
    }
    store_settle(world->store);
}

/* ---- checking ---- */

struct recount {
    int64_t keys[NUMBERS_MAX], bytes[NUMBERS_MAX];
    size_t all[DBS];
};

static void count_again(struct world *world, struct recount *ret_recount) {
    memset(ret_recount, 0, sizeof *ret_recount);
    for (unsigned s = 0; s < SHARD_COUNT; s++)
        for (unsigned db = 0; db < DBS; db++) {
            struct table_iter iter;
            const struct shard *shard = store_shard(world->store, s);
            table_check(&shard->dbs[db].table);
            table_iter_init(&iter, &shard->dbs[db].table);
            for (const struct entry *entry = table_iter_next(&iter); entry;
                 entry = table_iter_next(&iter)) {
                /* An expired key counts until it is removed. */
                if (!store_is_there(world->store, db, entry, 0)) continue;
                unsigned number = matcher_find(store_matcher(world->store), PATTERN_KEY,
                                               entry_key(entry), (int)db);
                ret_recount->keys[number]++;
                ret_recount->bytes[number] += (int64_t)entry_bytes(entry) + ENTRY_SLOT_BYTES;
                ret_recount->all[db]++;
            }
        }
}

static void check(struct world *world) {
    struct recount recount;
    struct pattern_statistics statistics[NUMBERS_MAX];
    count_again(world, &recount);
    store_pattern_statistics(world->store, statistics);
    for (unsigned i = 0; i <= matcher_pattern_count(store_matcher(world->store)); i++) {
        assert_int_equal(statistics[i].sums.keys, recount.keys[i]);
        assert_int_equal(statistics[i].sums.bytes, recount.bytes[i]);
    }
}

static void check_sizes(struct world *world) {
    struct recount recount;
    count_again(world, &recount);
    for (unsigned db = 0; db < DBS; db++) {
        struct store_db_stats stats;
        store_db_stats(world->store, db, false, world->now_ms, &stats);
        assert_int_equal(stats.keys, recount.all[db]);
    }
}

/* The census goes round until nothing is left to settle. */
static void settle_all(struct world *world) {
    unsigned steps = 0;
    while (store_census_step(world->store, 500)) assert_true(++steps < 100000);
}

static void test_counts(void **state) {
    (void)state;
    struct world *world = world_new();
    for (unsigned i = 0; i < 500; i++) change(world);
    load(world, first_rows, 3, first_continues);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 200; i++) {
            change(world);
            if (below(world, 4) == 0) store_census_step(world->store, 20);
        }
        settle_all(world);
        check(world);
        check_sizes(world);
        switch (below(world, 8)) {
        case 0: load(world, first_rows, 3, first_continues); break;
        case 1: store_swap_dbs(world->store, below(world, DBS), below(world, DBS)); break;
        case 2: store_flush(world->store, (int)below(world, DBS), below(world, 2)); break;
        case 3: store_purge(world->store, below(world, 4), NULL, 0); break;
        default: break;
        }
        if (round > 0) check_sizes(world);
    }
    world_free(world);
}

static void test_reload(void **state) {
    (void)state;
    struct world *world = world_new();
    struct pattern_statistics before[NUMBERS_MAX], after[NUMBERS_MAX];
    load(world, first_rows, 3, first_continues);
    for (unsigned i = 0; i < 3000; i++) change(world);
    char name[NAME_MAX_LEN];
    struct key key = name_of(3, name);
    put(world, 0, &key);
    store_settle(world->store);
    for (unsigned i = 0; i < 7; i++)
        store_count(world->store, store_find(world->store, 0, &key, world->now_ms)->pattern,
                    TALLY_HITS);
    store_pattern_statistics(world->store, before);
    load(world, second_rows, 4, second_continues);
    store_pattern_statistics(world->store, after);
    assert_int_equal(after[1].sums.counts[TALLY_HITS], before[3].sums.counts[TALLY_HITS]);
    assert_int_equal(after[1].sums.counts[TALLY_WRITES], before[3].sums.counts[TALLY_WRITES]);
    settle_all(world);
    check(world);
    for (unsigned i = 0; i < 2000; i++) change(world);
    check(world);
    store_swap_dbs(world->store, 1, 2);
    settle_all(world);
    check(world);
    world_free(world);
}

static void test_purge(void **state) {
    (void)state;
    struct world *world = world_new();
    char name[NAME_MAX_LEN];
    load(world, first_rows, 3, first_continues);
    for (unsigned i = 0; i < NAMES; i++) {
        struct key key = name_of(i, name);
        struct entry *old = store_find(world->store, 0, &key, world->now_ms);
        store_put_integer(world->store, 0, &key, old, i, ENTRY_EXPIRY_NONE);
    }
    settle_all(world);
    /* One camera: the others, and users, stay. */
    struct match_variable one[] = {{BYTES("kind"), BYTES("camera")}, {BYTES("id"), BYTES("7")}};
    assert_int_equal(store_purge(world->store, 2, one, 2), -1);
    unsigned gone = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        struct key key = name_of(i, name);
        gone += store_find(world->store, 0, &key, world->now_ms) == NULL;
        if (i == 50) store_census_step(world->store, 100);
    }
    assert_int_equal(gone, 2); /* numbers 71 and 76 have one name */
    /* All sessions, in the middle of settling. */
    struct pattern_statistics statistics[NUMBERS_MAX];
    store_pattern_statistics(world->store, statistics);
    assert_int_equal(store_purge(world->store, 3, NULL, 0), statistics[3].sums.keys);
    struct key session = name_of(3, name);
    assert_null(store_find(world->store, 0, &session, world->now_ms));
    store_put_integer(world->store, 0, &session, NULL, 1, ENTRY_EXPIRY_NONE);
    store_pattern_statistics(world->store, statistics);
    assert_int_equal(statistics[3].sums.keys, 1);
    check_sizes(world);
    settle_all(world);
    check(world);
    store_pattern_statistics(world->store, statistics);
    assert_int_equal(statistics[2].sums.counts[TALLY_PURGED], 1);
    assert_non_null(store_find(world->store, 0, &session, world->now_ms));
    world_free(world);
}

/* ---- databases swapped, patterns purged and catalogs replaced while keys
 * still wait to be settled ---- */

enum { MODEL_KEYS = 300 };

struct model {
    int64_t value[DBS][MODEL_KEYS]; /* 0: the key is not there */
};

static struct key model_name(unsigned number, char out[NAME_MAX_LEN]) {
    static const char *const forms[] = {"q:%u", "c:camera:%u", "c:user:%u", "s:%u", "other:%u"};
    int len = snprintf(out, NAME_MAX_LEN, forms[number % 5], number / 5);
    return key_make(bytes_make(out, (size_t)len));
}

static void model_swap(struct world *world, struct model *model) {
    unsigned a = below(world, DBS), b = below(world, DBS);
    store_swap_dbs(world->store, a, b);
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        int64_t value = model->value[a][i];
        model->value[a][i] = model->value[b][i];
        model->value[b][i] = value;
    }
}

static void model_purge(struct world *world, struct model *model) {
    const struct matcher *matcher = store_matcher(world->store);
    struct match_variable user[] = {{BYTES("kind"), BYTES("user")}};
    unsigned number = below(world, (unsigned)matcher_pattern_count(matcher) + 1);
    bool chosen = number > 0 && strcmp(matcher_pattern(matcher, number)->name, "cache") == 0;
    size_t count = chosen ? below(world, 2) : 0;
    int64_t there = 0, purged = store_purge(world->store, number, user, count);
    char name[NAME_MAX_LEN];
    if (purged == PURGE_NO_ID) return;
    for (unsigned db = 0; db < DBS; db++)
        for (unsigned i = 0; i < MODEL_KEYS; i++) {
            if (model->value[db][i] == 0 ||
                !matcher_is(matcher, PATTERN_KEY, model_name(i, name).name, (int)db, number, user,
                            count))
                continue;
            model->value[db][i] = 0;
            there++;
        }
    if (purged != PURGE_UNCOUNTED) assert_int_equal(purged, there);
}

static void model_change(struct world *world, struct model *model) {
    char name[NAME_MAX_LEN];
    unsigned db = below(world, DBS), i = below(world, MODEL_KEYS);
    struct key key = model_name(i, name);
    struct entry *entry = store_find(world->store, db, &key, world->now_ms);
    assert_int_equal(entry ? entry_integer(entry) : 0, model->value[db][i]);
    if (below(world, 4)) {
        int64_t value = 1 + below(world, 1000);
        store_put_integer(world->store, db, &key, entry, value, ENTRY_EXPIRY_NONE);
        model->value[db][i] = value;
    } else if (entry) {
        store_delete(world->store, db, &key, entry, false);
        model->value[db][i] = 0;
    }
    store_settle(world->store);
}

static void test_unsettled(void **state) {
    (void)state;
    struct world *world = world_new();
    struct model model = {0};
    load(world, first_rows, 3, first_continues);
    for (unsigned round = 0; round < 6000; round++) {
        if (below(world, 4) == 0)
            for (unsigned i = below(world, 60); i > 0; i--) model_change(world, &model);
        for (unsigned i = below(world, 40); i > 0; i--)
            store_census_step(world->store, below(world, 30));
        switch (below(world, 12)) {
        case 0: load(world, second_rows, 4, second_continues); break;
        case 1: model_swap(world, &model); break;
        case 2: model_purge(world, &model); break;
        default: break;
        }
        if (below(world, 30)) continue;
        settle_all(world);
        check(world);
        check_sizes(world);
        for (unsigned db = 0; db < DBS; db++)
            for (unsigned i = 0; i < MODEL_KEYS; i++) {
                char name[NAME_MAX_LEN];
                struct key key = model_name(i, name);
                const struct entry *entry = store_find(world->store, db, &key, world->now_ms);
                assert_int_equal(entry ? entry_integer(entry) : 0, model.value[db][i]);
            }
    }
    world_free(world);
}

/* The census is in the midst of a table when a purge comes: what it has passed is left for its next
 * pass, in which the table may be empty long before its end. */
static void test_purge_in_the_midst_of_a_table(void **state) {
    enum { KEYS = 5000, STEP = 4, ROUNDS = 50 };
    (void)state;
    struct world *world = world_new();
    char name[NAME_MAX_LEN];
    load(world, first_rows, 3, first_continues);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < KEYS; i++) {
            int len = snprintf(name, sizeof name, "q:%u", i);
            struct key key = key_make(bytes_make(name, (size_t)len));
            store_put_integer(world->store, 0, &key, NULL, i, ENTRY_EXPIRY_NONE);
        }
        for (unsigned i = below(world, 200); i > 0; i--) store_census_step(world->store, STEP);
        assert_int_equal(store_purge(world->store, 1, NULL, 0), KEYS);
        settle_all(world);
        assert_int_equal(store_purged_keys(world->store, 0), 0);
    }
    check(world);
    world_free(world);
}

static void test_eviction(void **state) {
    (void)state;
    struct world *world = world_new();
    char name[NAME_MAX_LEN];
    load(world, first_rows, 3, first_continues);
    unsigned queues = 0, caches = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        struct key key = name_of(i, name);
        struct entry *old = store_find(world->store, 0, &key, world->now_ms);
        store_put_string(world->store, 0, &key, old, bytes_from_string(name), ENTRY_EXPIRY_NONE);
        queues += i % 5 == 0 && old == NULL;
        caches += (i % 5 == 1 || i % 5 == 2) && old == NULL;
    }
    struct store_limits *limits = store_limits(world->store);
    atomic_store(&limits->policy, EVICT_ALLKEYS_LRU);
    unsigned evicted = 0;
    struct pattern_statistics statistics[NUMBERS_MAX];
    for (;;) {
        atomic_store(&limits->max_memory, memory_used() - 1);
        int64_t before[2];
        store_pattern_statistics(world->store, statistics);
        before[0] = statistics[2].sums.keys;
        before[1] = statistics[0].sums.keys + statistics[3].sums.keys;
        enum evict_result result =
            store_evict(world->store, world->pool, world->now_ms, 1000 * 1000);
        if (result == EVICT_FAILED) break;
        store_pattern_statistics(world->store, statistics);
        int64_t others = statistics[0].sums.keys + statistics[3].sums.keys;
        if (before[0] > 100) assert_int_equal(others, before[1]);
        assert_true(++evicted < 10 * NAMES);
    }
    store_pattern_statistics(world->store, statistics);
    assert_int_equal(statistics[1].sums.keys, queues);
    assert_int_equal(statistics[1].sums.counts[TALLY_EVICTED], 0);
    assert_int_equal(statistics[2].sums.counts[TALLY_EVICTED], caches);
    assert_int_equal(statistics[0].sums.keys + statistics[2].sums.keys + statistics[3].sums.keys,
                     0);
    check(world);
    world_free(world);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    printf("# seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_unsettled),
        cmocka_unit_test(test_purge_in_the_midst_of_a_table),
        cmocka_unit_test(test_eviction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
