/* SPDX-License-Identifier: BSD-3-Clause */
/* Matching: the rules by example, and random catalogs against a matcher that tries every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "catalog/matcher.h"

static struct pattern *add(struct catalog *catalog, enum pattern_kind kind, const char *text) {
    struct template_error error;
    struct pattern *pattern = catalog_add_pattern(catalog);
    pattern->kind = kind;
    pattern->place.line = pattern->key.place.line = (uint32_t)catalog->pattern_count;
    pattern->place.file = pattern->key.place.file = catalog->file;
    if (!template_parse(bytes_from_string(text), catalog->prefixes, catalog->prefix_count,
                        &catalog->arena, &pattern->key.template, &error))
        fail_msg("%s: %s", text, error.what);
    return pattern;
}

static void add_prefix(struct catalog *catalog, const char *name, const char *const *values,
                       size_t count) {
    catalog->prefixes =
        catalog_grow(catalog, catalog->prefixes, catalog->prefix_count, sizeof *catalog->prefixes);
    struct prefix *prefix = &catalog->prefixes[catalog->prefix_count++];
    *prefix = (struct prefix){.name = name, .value_count = count};
    prefix->values = arena_alloc(&catalog->arena, count * sizeof *prefix->values);
    for (size_t i = 0; i < count; i++) prefix->values[i] = values[i];
}

static void add_alias(struct catalog *catalog, struct pattern *pattern, const char *text) {
    struct template_error error;
    pattern->aliases =
        catalog_grow(catalog, pattern->aliases, pattern->alias_count, sizeof *pattern->aliases);
    struct pattern_template *alias = &pattern->aliases[pattern->alias_count++];
    *alias = (struct pattern_template){.place = pattern->place};
    assert_true(template_parse(bytes_from_string(text), catalog->prefixes, catalog->prefix_count,
                               &catalog->arena, &alias->template, &error));
}

static struct matcher *build(struct catalog *catalog) {
    struct diagnostics *diagnostics = diagnostics_new();
    const struct catalog *catalogs[] = {catalog};
    assert_true(catalog_finish(catalog, diagnostics));
    struct matcher *matcher = matcher_new(catalogs, 1, diagnostics);
    if (!matcher) fail_msg("%s", diagnostics_at(diagnostics, 0)->what);
    diagnostics_free(diagnostics);
    return matcher;
}

static unsigned find(const struct matcher *matcher, const char *key) {
    return matcher_find(matcher, PATTERN_KEY, bytes_from_string(key), MATCHER_DATABASE_ANY);
}

static void check_row(const struct matcher *matcher, const char *key, const char *wanted) {
    unsigned id = find(matcher, key);
    const char *got = id ? matcher_pattern(matcher, id)->key.template.text : "nothing";
    if (strcmp(got, wanted) != 0) fail_msg("'%s' is '%s', not '%s'", key, got, wanted);
}

static void test_rules(void **state) {
    static const char *const templates[] = {
        "{prefix}:cache:cameras:list",
        "{prefix}:cache:cameras:{id}",
        "{prefix}:queue:{name}",
        "{prefix}:queue:dlq:{name}",
        "a:{x}:b",
        "a:{x}",
        "{y}:b:b",
        "celery-task-meta-{id}",
        "celery-{id}:x",
        "u{a}-{b}:{c}",
        "ip:{ip}:{endpoint}",
        "jobs:active",
        "tag:{{{slot}}}:n",
        "empty::{x}",
    };
    static const char *const values[] = {"hsi", "hsi-blue"};
    static const char *const rows[][2] = {
        {"hsi:cache:cameras:list", "{prefix}:cache:cameras:list"},
        {"hsi:cache:cameras:front", "{prefix}:cache:cameras:{id}"},
        {"hsi-blue:cache:cameras:list", "{prefix}:cache:cameras:list"},
        {"hsi-green:cache:cameras:list", "nothing"},
        {"hsi:cache:cameras:list:x", "{prefix}:cache:cameras:{id}"},
        {"hsi:cache:cameras:", "nothing"},
        {"hsi:cache:cameras", "nothing"},
        {"hsi:queue:dlq", "{prefix}:queue:{name}"},
        {"hsi:queue:dlq:x", "{prefix}:queue:dlq:{name}"},
        {"hsi:queue:a:b:c", "{prefix}:queue:{name}"},
        {"a:1:b", "a:{x}:b"},
        {"a:1:c", "a:{x}"},
        {"a:b:b", "a:{x}:b"},
        {"z:b:b", "{y}:b:b"},
        {"a::b", "a:{x}"},
        {"celery-task-meta-1:2", "celery-task-meta-{id}"},
        {"celery-task-meta-:x", "celery-task-meta-{id}"},
        {"celery-9:x", "celery-{id}:x"},
        {"celery-9", "nothing"},
        {"u1-2:3:4", "u{a}-{b}:{c}"},
        {"u--2:3", "u{a}-{b}:{c}"},
        {"u-2:3", "nothing"},
        {"ip:::1:/x", "nothing"},
        {"ip:10.0.0.1:/api:v1", "ip:{ip}:{endpoint}"},
        {"jobs:active", "jobs:active"},
        {"jobs:activex", "nothing"},
        {"tag:{7}:n", "tag:{{{slot}}}:n"},
        {"empty::1", "empty::{x}"},
        {"", "nothing"},
        {":", "nothing"},
    };
    (void)state;
    struct catalog *catalog = catalog_new("rules.yaml");
    add_prefix(catalog, "prefix", values, 2);
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        add(catalog, PATTERN_KEY, templates[i]);
    struct matcher *matcher = build(catalog);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(matcher, rows[i][0], rows[i][1]);
    assert_int_equal(
        matcher_find(matcher, PATTERN_CHANNEL, BYTES("jobs:active"), MATCHER_DATABASE_ANY), 0);
    matcher_free(matcher);
    catalog_free(catalog);
}

static void expect_variable(const struct match *match, size_t i, const char *name,
                            const char *value) {
    assert_true(i < match->count);
    assert_true(bytes_equal(match->variables[i].name, bytes_from_string(name)));
    if (!bytes_equal(match->variables[i].value, bytes_from_string(value)))
        fail_msg("%s is '%.*s', not '%s'", name, (int)match->variables[i].value.len,
                 match->variables[i].value.data, value);
}

static void test_variables(void **state) {
    static const char *const values[] = {"stg:", "prod:"};
    struct match match;
    (void)state;
    struct catalog *catalog = catalog_new("variables.yaml");
    add_prefix(catalog, "prefix", values, 2);
    catalog->prefixes[0].chosen = 1;
    add(catalog, PATTERN_KEY, "{prefix}cache:{what}:v{major}.{minor}:{rest}");
    struct pattern *moved = add(catalog, PATTERN_KEY, "{prefix}batch:{id}:state");
    add_alias(catalog, moved, "batch:{id}:state");
    add(catalog, PATTERN_CHANNEL, "job:{id}:control");
    struct matcher *matcher = build(catalog);
    assert_true(matcher_match(matcher, PATTERN_KEY, BYTES("stg:cache:user:v1.2.3:a:b"), 0, &match));
    assert_int_equal(match.count, 5);
    expect_variable(&match, 0, "prefix", "stg:");
    expect_variable(&match, 1, "what", "user");
    expect_variable(&match, 2, "major", "1");
    expect_variable(&match, 3, "minor", "2.3");
    expect_variable(&match, 4, "rest", "a:b");
    assert_true(matcher_match(matcher, PATTERN_KEY, BYTES("prod:batch:7:state"), 0, &match));
    expect_variable(&match, 0, "prefix", "prod:");
    expect_variable(&match, 1, "id", "7");
    assert_int_equal(match.alias, 0);
    assert_true(matcher_match(matcher, PATTERN_KEY, BYTES("batch:7:state"), 0, &match));
    assert_int_equal(match.id, 2);
    assert_int_equal(match.alias, 1);
    assert_int_equal(match.count, 1);
    assert_true(matcher_match(matcher, PATTERN_CHANNEL, BYTES("job:1:control"), 0, &match));
    assert_false(matcher_match(matcher, PATTERN_KEY, BYTES("job:1:control"), 0, &match));
    matcher_free(matcher);
    catalog_free(catalog);
}

static void test_databases(void **state) {
    (void)state;
    struct catalog *catalog = catalog_new("databases.yaml");
    catalog_add_database(catalog, add(catalog, PATTERN_KEY, "k:{a}"), 1);
    catalog_add_database(catalog, add(catalog, PATTERN_KEY, "k:{b}"), 2);
    catalog_add_database(catalog, add(catalog, PATTERN_KEY, "only:{b}"), 2);
    add(catalog, PATTERN_KEY, "k:{c}");
    struct matcher *matcher = build(catalog);
    assert_int_equal(matcher_find(matcher, PATTERN_KEY, BYTES("k:1"), 1), 1);
    assert_int_equal(matcher_find(matcher, PATTERN_KEY, BYTES("k:1"), 2), 2);
    assert_int_equal(matcher_find(matcher, PATTERN_KEY, BYTES("k:1"), 3), 4);
    assert_int_equal(matcher_find(matcher, PATTERN_KEY, BYTES("only:1"), 0), 3);
    assert_false(pattern_allows_database(matcher_pattern(matcher, 3), 0));
    matcher_free(matcher);
    catalog_free(catalog);
}

static void expect_twins(const char *one, const char *two, bool twins) {
    struct catalog *catalogs[2];
    struct diagnostics *diagnostics = diagnostics_new();
    static const char *const values[] = {"p", "q"};
    for (int i = 0; i < 2; i++) {
        catalogs[i] = catalog_new(i ? "two.yaml" : "one.yaml");
        add_prefix(catalogs[i], "prefix", values, 2);
        add(catalogs[i], PATTERN_KEY, i ? two : one)->key.place.column = 7;
        assert_true(catalog_finish(catalogs[i], diagnostics));
    }
    struct matcher *matcher = matcher_new((const struct catalog *const *)catalogs, 2, diagnostics);
    if (!matcher != twins) fail_msg("'%s' and '%s'", one, two);
    if (twins) {
        const struct diagnostic *found = diagnostics_at(diagnostics, 0);
        assert_string_equal(found->code, "patterns-alike");
        assert_string_equal(found->place.file, "two.yaml");
        assert_int_equal(found->place.column, 7);
        assert_string_equal(found->other.file, "one.yaml");
    }
    matcher_free(matcher);
    diagnostics_free(diagnostics);
    catalog_free(catalogs[0]);
    catalog_free(catalogs[1]);
}

static void test_twins(void **state) {
    (void)state;
    expect_twins("a:{x}", "a:{y}", true);
    expect_twins("a:{x}:b", "a:{y}:b", true);
    expect_twins("{prefix}:x", "q:x", true);
    expect_twins("s-{x}", "s-{y}", true);
    expect_twins("s-{x}:b", "s-{y}:b", true);
    expect_twins("a:{x}", "a:{y}:{z}", false);
    expect_twins("s-{x}:b", "s-{y}", false);
    expect_twins("{prefix}:x", "r:x", false);
}

/* ---- random catalogs ---- */

/* Templates in a plain form: '*' is a variable. */
static bool naive_fits(const char *template, const char *key, size_t len) {
    if (*template == '\0') return len == 0;
    if (*template != '*')
        return len > 0 && *key == *template && naive_fits(template + 1, key + 1, len - 1);
    bool last = template[1] == '\0';
    for (size_t take = 1; take <= len && (last || key[take - 1] != ':'); take++) {
        if (naive_fits(template + 1, key + take, len - take)) return true;
    }
    return false;
}

/* The order of two templates that fit one key, as the rules tell it, part by part. */
static int naive_order(const char *a, const char *b) {
    for (;;) {
        size_t m = strcspn(a, ":"), n = strcspn(b, ":");
        bool star_a = memchr(a, '*', m), star_b = memchr(b, '*', n);
        bool any_a = m == 1 && *a == '*', any_b = n == 1 && *b == '*';
        if (star_a != star_b) return star_a ? 1 : -1;
        if (any_a != any_b) return any_a ? 1 : -1;
        for (size_t i = 0, j = 0; star_a && (i < m || j < n);) {
            if (i == m || j == n) return i < m ? -1 : 1;
            if (a[i] == '*' && b[j] == '*') {
                i++, j++;
                continue;
            }
            if (a[i] == '*' || b[j] == '*') return a[i] == '*' ? 1 : -1;
            size_t p = strcspn(a + i, "*:"), q = strcspn(b + j, "*:");
            if (p != q) return p > q ? -1 : 1;
            int order = memcmp(a + i, b + j, p);
            if (order) return order;
            i += p, j += q;
        }
        bool ends_a = a[m] == '\0', ends_b = b[n] == '\0';
        if (ends_a && ends_b) return 0;
        if (ends_a != ends_b) return ends_a ? 1 : -1;
        a += m + 1, b += n + 1;
    }
}

/* Random text of few letters, so that templates and keys meet. */
static void draw(struct rng *rng, bool stars, char *out, size_t room) {
    size_t len = 1 + rng_below(rng, room - 2);
    for (size_t i = 0; i < len; i++) {
        out[i] = "ab:ab::-*"[rng_below(rng, stars ? 9 : 8)];
        if (out[i] == '*' && i > 0 && out[i - 1] == '*') out[i] = ':';
    }
    out[len] = '\0';
}

/* The two letters written out as words, so that segments, and what templates
 * begin with, have any length. */
static void stretch(const char *const words[2], const char *plain, char *out, size_t room) {
    size_t len = 0;
    for (; *plain != '\0'; plain++) {
        char other[2] = {*plain, '\0'};
        const char *word = *plain == 'a' ? words[0] : *plain == 'b' ? words[1] : other;
        len += (size_t)snprintf(out + len, room - len, "%s", word);
        assert_true(len < room);
    }
    out[len] = '\0';
}

static void unfold(const char *plain, char *out) {
    size_t len = 0;
    for (unsigned n = 0; *plain != '\0'; plain++) {
        if (*plain == '*') {
            len += (size_t)snprintf(out + len, 8, "{v%u}", n++);
        } else {
            out[len++] = *plain;
        }
    }
    out[len] = '\0';
}

enum { RANDOM_TEMPLATES = 24, PLAIN_MAX = 10, WORD_MAX = 12, LONG_MAX = WORD_MAX * PLAIN_MAX };

static void random_round(struct rng *rng, unsigned *matched) {
    static const char *const words[][2] = {
        {"a", "b"}, {"alpha", "be"}, {"a-long-one", "b"}, {"abc", "an-other-one"}, {"ab", "abcd"}};
    const char *const *chosen = words[rng_below(rng, sizeof words / sizeof words[0])];
    char plain[RANDOM_TEMPLATES][LONG_MAX], text[8 * LONG_MAX], drawn[PLAIN_MAX + 2];
    size_t count = 1 + rng_below(rng, RANDOM_TEMPLATES - 1), kept = 0;
    struct catalog *catalog = catalog_new("random.yaml");
    for (size_t i = 0; i < count; i++) {
        bool twin = false;
        draw(rng, true, drawn, PLAIN_MAX);
        stretch(chosen, drawn, plain[kept], LONG_MAX);
        for (size_t j = 0; j < kept; j++) twin |= strcmp(plain[j], plain[kept]) == 0;
        if (twin) continue;
        unfold(plain[kept++], text);
        add(catalog, PATTERN_KEY, text);
    }
    struct matcher *matcher = build(catalog);
    for (int i = 0; i < 200; i++) {
        char key[LONG_MAX + 2 * WORD_MAX];
        size_t best = 0;
        draw(rng, false, drawn, sizeof drawn);
        stretch(chosen, drawn, key, sizeof key);
        for (size_t j = 1; j <= kept; j++) {
            if (!naive_fits(plain[j - 1], key, strlen(key))) continue;
            if (!best || naive_order(plain[j - 1], plain[best - 1]) < 0) best = j;
        }
        /* Of exactly its length, so that a byte too far is noticed. */
        char *exact = malloc(strlen(key));
        memcpy(exact, key, strlen(key));
        struct match match = {0};
        struct bytes bytes = bytes_make(exact, strlen(key));
        bool found = matcher_match(matcher, PATTERN_KEY, bytes, MATCHER_DATABASE_ANY, &match);
        if ((found ? match.id : 0) != best)
            fail_msg("'%s' is '%s', not '%s'", key, match.id ? plain[match.id - 1] : "nothing",
                     best ? plain[best - 1] : "nothing");
        assert_int_equal(matcher_find(matcher, PATTERN_KEY, bytes, 3), best);
        /* The values, put back into the template, give the key. */
        size_t at = 0, taken = 0;
        for (const char *c = best ? plain[best - 1] : ""; *c != '\0'; c++) {
            struct bytes value = *c == '*' ? match.variables[taken++].value : bytes_make(c, 1);
            assert_true(value.len > 0 && at + value.len <= strlen(key));
            assert_memory_equal(key + at, value.data, value.len);
            at += value.len;
        }
        if (best) assert_int_equal(at, strlen(key));
        *matched += best != 0;
        free(exact);
    }
    matcher_free(matcher);
    catalog_free(catalog);
}

static void test_random(void **state) {
    const char *given = getenv("KEYNOME_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : random_next();
    struct rng rng;
    unsigned matched = 0;
    (void)state;
    print_message("KEYNOME_SEED=%llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    for (int i = 0; i < 2000; i++) random_round(&rng, &matched);
    assert_true(matched > 10000);
}

/* A tree in which every level may be a literal or a variable: no key makes the
 * work more than the tree. */
static void test_no_blow_up(void **state) {
    char text[256], key[4096];
    (void)state;
    struct catalog *catalog = catalog_new("deep.yaml");
    for (unsigned bits = 0; bits < 4096; bits++) {
        size_t len = 0;
        for (unsigned level = 0; level < 12; level++)
            len += (size_t)snprintf(text + len, sizeof text - len,
                                    bits >> level & 1 ? "a:" : "{v%u}:", level);
        snprintf(text + len, sizeof text - len, "end");
        add(catalog, PATTERN_KEY, text);
    }
    struct matcher *matcher = build(catalog);
    for (size_t i = 0; i < sizeof key; i += 2) key[i] = 'a', key[i + 1] = ':';
    for (int i = 0; i < 100; i++) {
        assert_int_equal(
            matcher_find(matcher, PATTERN_KEY, bytes_make(key, sizeof key), MATCHER_DATABASE_ANY),
            0);
    }
    assert_int_equal(find(matcher, "a:a:a:a:a:a:a:a:a:a:a:a:end"), 4096);
    matcher_free(matcher);
    catalog_free(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),     cmocka_unit_test(test_variables),
        cmocka_unit_test(test_databases), cmocka_unit_test(test_twins),
        cmocka_unit_test(test_random),    cmocka_unit_test(test_no_blow_up)};
    return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}
