/* SPDX-License-Identifier: BSD-3-Clause */
/* Names made canonical, and the way back; and what is stored under a legacy name being adopted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/random.h"
#include "catalog/matcher.h"
#include "server/aliases.h"
#include "store/admin.h"
#include "store/shard.h"

static void parse(struct catalog *catalog, const char *text, struct pattern_template *ret) {
    struct template_error error;
    if (!template_parse(bytes_from_string(text), catalog->prefixes, catalog->prefix_count,
                        &catalog->arena, &ret->template, &error))
        fail_msg("%s: %s", text, error.what);
}

static void add(struct catalog *catalog, const char *key, const char *alias, const char *other) {
    struct pattern *pattern = catalog_add_pattern(catalog);
    pattern->kind = PATTERN_KEY;
    parse(catalog, key, &pattern->key);
    const char *aliases[] = {alias, other};
    for (size_t i = 0; i < 2 && aliases[i]; i++) {
        pattern->aliases =
            catalog_grow(catalog, pattern->aliases, pattern->alias_count, sizeof *pattern->aliases);
        pattern->aliases[pattern->alias_count] = (struct pattern_template){.place = pattern->place};
        parse(catalog, aliases[i], &pattern->aliases[pattern->alias_count++]);
    }
}

static unsigned released;

static void release(void *context) {
    (void)context;
    released++;
}

struct fixture {
    struct catalog *catalog;
    struct matcher *matcher;
    struct alias_table *table;
    struct arena arena;
};

static struct catalog *catalog_with(const char *key, const char *alias, const char *other) {
    static const char *values[] = {"new:", "stg:"};
    struct catalog *catalog = catalog_new("test");
    catalog->prefixes =
        catalog_grow(catalog, catalog->prefixes, catalog->prefix_count, sizeof *catalog->prefixes);
    catalog->prefixes[catalog->prefix_count++] =
        (struct prefix){.name = "prefix", .values = values, .value_count = 2};
    add(catalog, key, alias, other);
    add(catalog, "{prefix}a:{id}", "{prefix}legacy:{id}", "bare:{id}");
    add(catalog, "{prefix}a:special", NULL, NULL);
    add(catalog, "turn:{b}:{a}", "turned:{a}:{b}", NULL);
    return catalog;
}

static struct matcher *matcher_with(struct catalog *catalog) {
    struct diagnostics *diagnostics = diagnostics_new();
    const struct catalog *catalogs[] = {catalog};
    assert_true(catalog_finish(catalog, diagnostics));
    struct matcher *matcher = matcher_new(catalogs, 1, diagnostics);
    assert_non_null(matcher);
    diagnostics_free(diagnostics);
    return matcher;
}

static int set_up(void **state) {
    struct fixture *fixture = *state = calloc(1, sizeof *fixture);
    fixture->catalog = catalog_with("hsi:batch:{id}", "batch:{id}", "old:{id}:batch");
    fixture->matcher = matcher_with(fixture->catalog);
    fixture->table = alias_table_new(fixture->matcher, release, NULL);
    assert_non_null(fixture->table);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    released = 0;
    alias_table_unref(fixture->table);
    assert_int_equal(released, 1);
    matcher_free(fixture->matcher);
    catalog_free(fixture->catalog);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static struct bytes canonical(struct fixture *fixture, const char *name, unsigned *ret_number) {
    struct bytes found;
    assert_true(alias_canonical(fixture->table, bytes_from_string(name), &fixture->arena, &found,
                                ret_number));
    return found;
}

static void names_become_canonical(void **state) {
    static const struct {
        const char *name, *canonical;
        unsigned number;
    } cases[] = {
        {"batch:7", "hsi:batch:7", 1},
        {"old:7:batch", "hsi:batch:7", 1},
        {"hsi:batch:7", "hsi:batch:7", 1},
        {"batch:a:b", "hsi:batch:a:b", 1},
        {"batch:", "batch:", 0},
        {"batch", "batch", 0},
        {"", "", 0},
        {"stg:legacy:1", "stg:a:1", 2},
        {"new:legacy:1", "new:a:1", 2},
        {"bare:1", "new:a:1", 2},
        {"bare:special", "bare:special", 0}, /* it would be another pattern's key */
        {"new:a:special", "new:a:special", 0},
        {"turned:1:2", "turn:2:1", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned number;
        struct bytes found = canonical(*state, cases[i].name, &number);
        if (!bytes_equal(found, bytes_from_string(cases[i].canonical)) || number != cases[i].number)
            fail_msg("%s: %.*s of %u", cases[i].name, (int)found.len, found.data, number);
    }
}

struct twins {
    char text[512];
};

static void note(void *context, struct bytes twin) {
    struct twins *twins = context;
    size_t len = strlen(twins->text);
    snprintf(twins->text + len, sizeof twins->text - len, "%.*s ", (int)twin.len, twin.data);
}

static void twins_are_those_that_lead_back(void **state) {
    static const struct {
        unsigned number;
        const char *canonical, *twins;
    } cases[] = {
        {1, "hsi:batch:7", "batch:7 old:7:batch "},
        {1, "hsi:batch:a:b", "batch:a:b "}, /* a variable inside takes one segment */
        {2, "stg:a:1", "stg:legacy:1 "},
        {2, "new:a:1", "new:legacy:1 bare:1 "},
        {4, "turn:2:1", "turned:1:2 "},
    };
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct twins twins = {""};
        alias_each_twin(fixture->table, cases[i].number, bytes_from_string(cases[i].canonical),
                        note, &twins);
        assert_string_equal(twins.text, cases[i].twins);
    }
}

struct look {
    struct bytes name;
    bool seen;
};

static void look(void *context, struct bytes twin) {
    struct look *wanted = context;
    wanted->seen |= bytes_equal(twin, wanted->name);
}

/* Of random names: what is canonical stays so, and each other one is a twin of what it becomes. */
static void there_and_back(void **state) {
    static const char *const words[] = {"hsi",  "batch",   "old",  "new",    "stg", "a", "legacy",
                                        "bare", "special", "turn", "turned", "1",   "",  "x"};
    struct fixture *fixture = *state;
    for (int round = 0; round < 200000; round++) {
        char name[128] = "";
        unsigned number, again;
        for (uint64_t parts = 1 + random_below(4); parts > 0; parts--) {
            size_t len = strlen(name);
            snprintf(name + len, sizeof name - len, "%s%s",
                     words[random_below(sizeof words / sizeof words[0])], parts > 1 ? ":" : "");
        }
        arena_reset(&fixture->arena);
        struct bytes first = canonical(fixture, name, &number), second;
        assert_true(alias_canonical(fixture->table, first, &fixture->arena, &second, &again));
        if (!bytes_equal(first, second) || again != number) fail_msg("%s", name);
        if (bytes_equal(first, bytes_from_string(name))) continue;
        struct look wanted = {.name = bytes_from_string(name)};
        alias_each_twin(fixture->table, number, first, look, &wanted);
        if (!wanted.seen) fail_msg("%s is no twin of %.*s", name, (int)first.len, first.data);
    }
}

static void legacy_entries_are_adopted(void **state) {
    enum { NOW_MS = 1000 };
    const struct fixture *fixture = *state;
    struct store *store = store_new(1, 1);
    struct key key = key_make(BYTES("hsi:batch:1")), twin = key_make(BYTES("batch:1"));
    char scratch[ENTRY_SCRATCH];
    const struct alias_progress *progress = alias_progress(fixture->table, 1);
    alias_adopt(store, fixture->table, 1, 0, &key, &twin, NOW_MS);
    assert_int_equal(progress->moved, 0);
    store_put_string(store, 0, &twin, NULL, BYTES("legacy"), NOW_MS + 50);
    alias_adopt(store, fixture->table, 1, 0, &key, &twin, NOW_MS);
    const struct entry *entry = store_find(store, 0, &key, NOW_MS);
    assert_non_null(entry);
    assert_int_equal(entry_expiry(entry), NOW_MS + 50);
    assert_null(store_find(store, 0, &twin, NOW_MS));
    assert_int_equal(progress->moved, 1);
    /* Of two, the canonical one stays; unless it has expired. */
    store_put_string(store, 0, &twin, NULL, BYTES("other"), ENTRY_EXPIRY_NONE);
    alias_adopt(store, fixture->table, 1, 0, &key, &twin, NOW_MS);
    assert_true(
        bytes_equal(entry_string(store_find(store, 0, &key, NOW_MS), scratch), BYTES("legacy")));
    assert_null(store_find(store, 0, &twin, NOW_MS));
    assert_int_equal(progress->conflicts, 1);
    store_put_string(store, 0, &twin, NULL, BYTES("third"), ENTRY_EXPIRY_NONE);
    alias_adopt(store, fixture->table, 1, 0, &key, &twin, NOW_MS + 100);
    assert_true(bytes_equal(entry_string(store_find(store, 0, &key, NOW_MS + 100), scratch),
                            BYTES("third")));
    assert_int_equal(progress->moved, 2);
    assert_null(alias_progress(fixture->table, 3));
    store_free(store);
}

/* A name that reads as another value of the variable, by another value of
 * the prefix, is left alone. */
static void prefixes_that_overlap(void **state) {
    static const char *values[] = {"n:", "n:a:"};
    static const char *const cases[][2] = {
        {"bare:7", "n:a:7"},
        {"bare:b:7", "n:a:b:7"},
        {"bare:a:7", "bare:a:7"},
        {"n:a:a:7", "n:a:a:7"},
    };
    struct catalog *catalog = catalog_new("test");
    struct arena arena;
    (void)state;
    catalog->prefixes =
        catalog_grow(catalog, catalog->prefixes, catalog->prefix_count, sizeof *catalog->prefixes);
    catalog->prefixes[catalog->prefix_count++] =
        (struct prefix){.name = "p", .values = values, .value_count = 2};
    add(catalog, "{p}a:{id}", "bare:{id}", NULL);
    struct matcher *matcher = matcher_with(catalog);
    struct alias_table *table = alias_table_new(matcher, release, NULL);
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes found;
        unsigned number;
        assert_true(
            alias_canonical(table, bytes_from_string(cases[i][0]), &arena, &found, &number));
        if (!bytes_equal(found, bytes_from_string(cases[i][1])))
            fail_msg("%s: %.*s", cases[i][0], (int)found.len, found.data);
    }
    arena_done(&arena);
    alias_table_unref(table);
    released = 0;
    matcher_free(matcher);
    catalog_free(catalog);
}

/* The quick look may say yes of any name, but never no of one that has another. */
static void no_name_is_overlooked(void **state) {
    struct fixture *fixture = *state;
    static const char *const yes[] = {
        "batch:1", "old:1:batch", "hsi:batch:1", "new:legacy:1", "stg:a:1",
        "bare:1",  "turned:1:2",  "turn:1:2",    "turn:a:b:c",   "b",
        ""};
    static const char *const no[] = {"key:1", "cache:7", "\xff\xfe", "user:1"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(alias_may_concern(fixture->table, bytes_from_string(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(alias_may_concern(fixture->table, bytes_from_string(no[i])));
    for (unsigned i = 1; i <= 4; i++)
        if (alias_progress(fixture->table, i))
            alias_migrated(fixture->table, alias_progress(fixture->table, i));
    assert_true(alias_may_concern(fixture->table, BYTES("batch:1")));
    assert_true(alias_may_concern(fixture->table, BYTES("bare:1")));
    assert_false(alias_may_concern(fixture->table, BYTES("hsi:batch:1")));
}

/* A catalog that is loaded again, or with other policies, changes no names. */
static void same_names(void **state) {
    struct fixture *fixture = *state;
    static const char *const others[][3] = {
        {"hsi:batch:{id}", "batch:{id}", "old:{id}:batch"}, /* the same */
        {"hsi:batch:{id}", "batch:{id}", "older:{id}:batch"},
        {"hsj:batch:{id}", "batch:{id}", "old:{id}:batch"},
        {"hsi:batch:{id}", "batch:{id}", NULL},
        {"hsi:batch:{id}", "old:{id}:batch", "batch:{id}"},
    };
    assert_true(alias_table_same(NULL, NULL));
    assert_false(alias_table_same(NULL, fixture->table));
    assert_false(alias_table_same(fixture->table, NULL));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct catalog *catalog = catalog_with(others[i][0], others[i][1], others[i][2]);
        struct matcher *matcher = matcher_with(catalog);
        struct alias_table *table = alias_table_new(matcher, release, NULL);
        catalog->patterns[0].lifetime.default_ms = 5000;
        assert_int_equal(alias_table_same(fixture->table, table), i == 0);
        alias_table_unref(table);
        matcher_free(matcher);
        catalog_free(catalog);
    }
    released = 0;
}

static void tables_are_counted(void **state) {
    struct fixture *fixture = *state;
    struct aliases *aliases = aliases_new();
    uint64_t generation = 7;
    assert_null(aliases_now(aliases, &generation));
    assert_int_equal(generation, 0);
    assert_false(aliases_replace(aliases, NULL));
    alias_table_ref(fixture->table);
    assert_true(aliases_replace(aliases, fixture->table));
    assert_ptr_equal(aliases_now(aliases, &generation), fixture->table);
    assert_int_equal(generation, 1);
    assert_true(aliases_pending(aliases, NULL));
    const struct bytes legacy = BYTES("batch:7"), own = BYTES("hsi:batch:7");
    const unsigned numbers[] = {1, 2, 4};
    assert_false(alias_is_settled(fixture->table, own));
    for (size_t i = 0; i < 3; i++) {
        assert_true(aliases_pending(aliases, NULL));
        alias_migrated(fixture->table, alias_progress(fixture->table, numbers[i]));
    }
    assert_true(alias_is_settled(fixture->table, own));
    assert_false(alias_is_settled(fixture->table, legacy));
    assert_false(aliases_pending(aliases, NULL));
    assert_true(aliases_replace(aliases, NULL));
    assert_null(aliases_now(aliases, &generation));
    assert_int_equal(generation, 2);
    released = 0;
    aliases_free(aliases);
    assert_int_equal(released, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_become_canonical, set_up, tear_down),
        cmocka_unit_test_setup_teardown(twins_are_those_that_lead_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(legacy_entries_are_adopted, set_up, tear_down),
        cmocka_unit_test(prefixes_that_overlap),
        cmocka_unit_test_setup_teardown(no_name_is_overlooked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(same_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables_are_counted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
