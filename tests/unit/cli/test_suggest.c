/* SPDX-License-Identifier: BSD-3-Clause */
/* Shapes of keys: which templates come out, that all keys are in them, and that
 * nothing makes them grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "catalog/matcher.h"
#include "catalog/yaml.h"
#include "cli/suggest_inside.h"

static struct rng rng;

static void add(struct suggest *suggest, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct suggest *suggest, const char *format, ...) {
    char key[512];
    va_list values;
    va_start(values, format);
    int len = vsnprintf(key, sizeof key, format, values);
    va_end(values);
    if (!suggest_add(suggest, bytes_make(key, (size_t)len), 0)) return;
    struct measure measure = {.bytes = 100, .type = PATTERN_TYPE_STRING, .span = SPAN_HOUR};
    suggest_note(suggest, bytes_make(key, (size_t)len), &measure, 1700000);
}

static uint64_t total(const struct suggestion *suggestions, size_t count) {
    uint64_t keys = 0;
    for (size_t i = 0; i < count; i++) keys += suggestions[i].keys;
    return keys;
}

static void expect(const struct suggestion *suggestions, size_t count, const char *template,
                   uint64_t keys) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(suggestions[i].template, template) != 0) continue;
        assert_int_equal(suggestions[i].keys, keys);
        return;
    }
    for (size_t i = 0; i < count && i < 30; i++)
        print_message("# %s %llu\n", suggestions[i].template,
                      (unsigned long long)suggestions[i].keys);
    fail_msg("no %s", template);
}

static void test_looks(void **state) {
    static const struct {
        const char *text;
        uint16_t looks;
    } rows[] = {
        {"42", LOOKS_NUMBER},
        {"1700000000", LOOKS_TIME},
        {"1700000000123", LOOKS_TIME},
        {"2024-01-31", LOOKS_DATE},
        {"20240131", LOOKS_DATE},
        {"2024-W05", LOOKS_DATE},
        {"123e4567-e89b-12d3-a456-426614174000", LOOKS_UUID},
        {"5f4dcc3b5aa765d61d8327deb882cf99", LOOKS_HEX},
        {"507f1f77bcf86cd799439011", LOOKS_HEX},
        {"10.0.0.7", LOOKS_IP},
        {"ann@example.com", LOOKS_EMAIL},
        {"V1StGXR8_Z5jdHi6B-myT", LOOKS_TOKEN},
        {"01ARZ3NDEKTSV4RRFFQ69G5FAV", LOOKS_TOKEN},
        {"a8Fk29dQ", LOOKS_TOKEN},
        {"user", 0},
        {"deadbeef", 0},
        {"facade", 0},
        {"dark-mode", 0},
        {"sha256", 0},
        {"v2", 0},
        {"getUserProfileById", 0},
        {"order_items_2", 0},
        {"HTTPServer", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (token_looks(bytes_from_string(rows[i].text)) != rows[i].looks)
            fail_msg("%s: %d", rows[i].text, token_looks(bytes_from_string(rows[i].text)));
    }
}

static void test_usual_shapes(void **state) {
    static const char *const people[] = {"alice",   "bob",   "carol",  "dave",  "erin",
                                         "frank",   "grace", "heidi",  "ivan",  "judy",
                                         "mallory", "niaj",  "olivia", "peggy", "rupert"};
    static const char *const kinds[] = {"cache", "lock", "queue", "session", "stats", "rate",
                                        "job",   "feed", "score", "vote",    "draft", "inbox"};
    struct suggest *suggest = suggest_new();
    const struct suggestion *list;
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        add(suggest, "user:%u:cart", i);
        add(suggest, "order:%u:item:%u", i, i * 7);
        add(suggest, "metrics:2024-01-%02u:host%u", i % 28 + 1, i % 40);
        add(suggest, "job%u", i);
        add(suggest, "celery-task-meta-%08x-e89b-12d3-a456-426614174000", i * 77777);
        add(suggest, "{room:%u}:users", i);
        add(suggest, "app/%u/page", i);
        add(suggest, "com.shop.item.%u.price", i);
        for (unsigned j = 0; j < 12; j++) add(suggest, "app:%s:%u", kinds[j], i);
    }
    for (unsigned i = 0; i < 15; i++) {
        add(suggest, "tmp:%s:draft", people[i]);
        add(suggest, "tmp:%s:seen", people[i]);
    }
    add(suggest, "feature:dark-mode");
    add(suggest, "feature:new-cart");
    add(suggest, "config");
    add(suggest, "a::b");
    suggest_check(suggest);
    size_t count = suggest_finish(suggest, &list);
    expect(list, count, "user:{id}:cart", 300);
    expect(list, count, "order:{id}:item:{item_id}", 300);
    expect(list, count, "metrics:{date}:host{id}", 300);
    expect(list, count, "job{id}", 300);
    expect(list, count, "celery-task-meta-{uuid}", 300);
    expect(list, count, "{{room:{id}}}:users", 300);
    expect(list, count, "app/{id}/page", 300);
    expect(list, count, "com.shop.item.{id}.price", 300);
    expect(list, count, "tmp:{name}:draft", 15);
    expect(list, count, "tmp:{name}:seen", 15);
    expect(list, count, "feature:dark-mode", 1);
    expect(list, count, "config", 1);
    expect(list, count, "a::b", 1);
    /* Twelve kinds of things with many keys each are names, not values. */
    expect(list, count, "app:cache:{id}", 300);
    expect(list, count, "app:inbox:{id}", 300);
    assert_int_equal(total(list, count), 300 * 20 + 30 + 4);
    assert_int_equal(list[0].types[PATTERN_TYPE_STRING], list[0].measured);
    assert_true(list[0].measured > 0 && list[0].measured <= SUGGEST_MEASURED);
    suggest_free(suggest);
}

/* What comes out can be pasted into a catalog, and then every key that was
 * an example has a pattern. */
static void test_as_catalog(void **state) {
    struct suggest *suggest = suggest_new();
    const struct suggestion *list;
    struct diagnostics *diagnostics = diagnostics_new();
    struct buffer text;
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        add(suggest, "user:%u:cart", i);
        add(suggest, "{{odd}}:%u:{x", i);
        add(suggest, "%u:%u", i, i); /* too general for a pattern */
        add(suggest, "quote\"and'colon: #%u", i);
    }
    size_t count = suggest_finish(suggest, &list);
    struct catalog *made = suggest_catalog(list, count, 100);
    assert_non_null(made);
    buffer_init(&text, 1 << 20);
    assert_int_equal(catalog_write_yaml(made, &text), 0);
    struct catalog *read = catalog_read_yaml(buffer_bytes(&text), "made.yaml", diagnostics);
    assert_non_null(read);
    assert_int_equal(read->pattern_count, 3);
    const struct catalog *catalogs[] = {read};
    struct matcher *matcher = matcher_new(catalogs, 1, diagnostics);
    assert_non_null(matcher);
    for (unsigned i = 0; i < 200; i++) {
        char key[64];
        int len = snprintf(key, sizeof key, "{{odd}}:%u:{x", i);
        assert_true(matcher_find(matcher, PATTERN_KEY, bytes_make(key, (size_t)len), 0) > 0);
    }
    const struct pattern *cart = read->patterns;
    while (strcmp(cart->name, "user.id.cart") != 0)
        assert_true(++cart < read->patterns + read->pattern_count);
    assert_int_equal(cart->type, PATTERN_TYPE_STRING);
    assert_int_equal(cart->lifetime.default_ms, 1800000);
    matcher_free(matcher);
    catalog_free(read);
    catalog_free(made);
    buffer_done(&text);
    diagnostics_free(diagnostics);
    suggest_free(suggest);
}

static size_t random_key(char *key, size_t room) {
    static const char separators[] = ":::/|.-_#={}";
    size_t len = 0;
    unsigned parts = 1 + (unsigned)rng_below(&rng, 20);
    for (unsigned i = 0; i < parts && len + 40 < room; i++) {
        if (i) key[len++] = separators[rng_below(&rng, sizeof separators - 1)];
        unsigned size = (unsigned)rng_below(&rng, 12);
        unsigned kind = (unsigned)rng_below(&rng, 8);
        for (unsigned j = 0; j < size; j++)
            key[len++] = (char)(kind == 0   ? rng_below(&rng, 256)
                                : kind == 1 ? '0' + rng_below(&rng, 10)
                                            : 'a' + rng_below(&rng, kind * 3));
    }
    return len;
}

static void test_bounded(void **state) {
    struct suggest *suggest = suggest_new();
    const struct suggestion *list;
    uint64_t keys = 60000;
    (void)state;
    for (uint64_t i = 0; i < keys; i++) {
        char key[1024];
        suggest_add(suggest, bytes_make(key, random_key(key, sizeof key)), 0);
        assert_true(suggest->nodes <= SUGGEST_NODES_MAX + 4 * TOKENS_MAX);
        if (i % 10000 == 0) suggest_check(suggest);
    }
    suggest_check(suggest);
    size_t count = suggest_finish(suggest, &list);
    assert_int_equal(total(list, count), keys);
    suggest_free(suggest);
}

/* Words without end at one place, with numbers at their ends, too. */
static void test_crowds(void **state) {
    struct suggest *suggest = suggest_new();
    const struct suggestion *list;
    (void)state;
    for (unsigned i = 0; i < 8000; i++) {
        char word[16];
        for (unsigned j = 0; j < 6; j++) word[j] = (char)('a' + rng_below(&rng, 26));
        add(suggest, "word:%.6s", word);
        add(suggest, "w%.2s%u:x", word, i % 100);
        if (i % 1000 == 0) suggest_check(suggest);
    }
    size_t count = suggest_finish(suggest, &list);
    expect(list, count, "word:{name}", 8000);
    assert_int_equal(total(list, count), 16000);
    suggest_free(suggest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),      cmocka_unit_test(test_usual_shapes),
        cmocka_unit_test(test_as_catalog), cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_crowds),
    };
    const char *seed = getenv("SEED");
    uint64_t value = seed ? strtoull(seed, NULL, 10) : random_next() % 1000000 + 1;
    rng_seed(&rng, value);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    print_message("# SEED=%llu\n", (unsigned long long)value);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
