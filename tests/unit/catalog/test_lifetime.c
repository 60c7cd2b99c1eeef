/* SPDX-License-Identifier: BSD-3-Clause */
/* Lifetimes in the wordings of real documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/lifetime.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static void expect_text(const char *got, const char *wanted, const char *text) {
    if ((got == NULL) != (wanted == NULL) || (got && strcmp(got, wanted) != 0))
        fail_msg("'%s': '%s', not '%s'", text, got ? got : "-", wanted ? wanted : "-");
}

static const struct {
    const char *text;
    enum lifetime_kind kind;
    int64_t default_ms, minimum_ms, maximum_ms;
    const char *after, *renewed, *note;
} wordings[] = {
    {"5 min", LIFETIME_LIMITED, 5 * M, 0, 0, NULL, NULL, NULL},
    {"1 hour (completed)", LIFETIME_LIMITED, H, 0, 0, "completed", NULL, NULL},
    {"86,400 s", LIFETIME_LIMITED, D, 0, 0, NULL, NULL, NULL},
    {"2_592_000 seconds", LIFETIME_LIMITED, 30 * D, 0, 0, NULL, NULL, NULL},
    {"604\xe2\x80\xaf"
     "800 s",
     LIFETIME_LIMITED, 7 * D, 0, 0, NULL, NULL, NULL},
    {"3600 seconds (1 hour)", LIFETIME_LIMITED, H, 0, 0, NULL, NULL, NULL},
    {"3600 seconds (2 hours)", LIFETIME_LIMITED, H, 0, 0, NULL, NULL, "2 hours"},
    {"7d", LIFETIME_LIMITED, 7 * D, 0, 0, NULL, NULL, NULL},
    {"60s", LIFETIME_LIMITED, 60 * S, 0, 0, NULL, NULL, NULL},
    {"1m", LIFETIME_LIMITED, M, 0, 0, NULL, NULL, NULL},
    {"`30m`", LIFETIME_LIMITED, 30 * M, 0, 0, NULL, NULL, NULL},
    {"No expiry", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"None", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"-", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"\xe2\x80\x94", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"Never expires", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"", LIFETIME_UNSTATED, 0, 0, 0, NULL, NULL, NULL},
    {"24 hours after completion", LIFETIME_LIMITED, D, 0, 0, "completion", NULL, NULL},
    {"24 hours (after completion)", LIFETIME_LIMITED, D, 0, 0, "completion", NULL, NULL},
    {"Expires after 10 minutes", LIFETIME_LIMITED, 10 * M, 0, 0, NULL, NULL, NULL},
    {"5 minutes (heartbeat)", LIFETIME_LIMITED, 5 * M, 0, 0, NULL, "heartbeat", NULL},
    {"30 seconds (with renewal)", LIFETIME_LIMITED, 30 * S, 0, 0, NULL, "with renewal", NULL},
    {"30 min after last access", LIFETIME_LIMITED, 30 * M, 0, 0, NULL, "last access", NULL},
    {"window duration (e.g., 60s)", LIFETIME_LIMITED, 0, 0, 0, NULL, NULL,
     "window duration (e.g., 60s)"},
    {"5-60 minutes", LIFETIME_LIMITED, 0, 5 * M, 60 * M, NULL, NULL, NULL},
    {"1\xe2\x80\x93"
     "24 hours",
     LIFETIME_LIMITED, 0, H, D, NULL, NULL, NULL},
    {"up to 1 day", LIFETIME_LIMITED, 0, 0, D, NULL, NULL, NULL},
    {"an hour", LIFETIME_LIMITED, H, 0, 0, NULL, NULL, NULL},
    {"half an hour", LIFETIME_LIMITED, 30 * M, 0, 0, NULL, NULL, NULL},
    {"1 hour 30 minutes", LIFETIME_LIMITED, 90 * M, 0, 0, NULL, NULL, NULL},
    {"1.5 hours", LIFETIME_LIMITED, 90 * M, 0, 0, NULL, NULL, NULL},
    {"until midnight", LIFETIME_LIMITED, 0, 0, 0, NULL, NULL, "until midnight"},
    {"2592000 seconds", LIFETIME_LIMITED, 30 * D, 0, 0, NULL, NULL, NULL},
    {"5 min TTL", LIFETIME_LIMITED, 5 * M, 0, 0, NULL, NULL, NULL},
    {"PT15M", LIFETIME_LIMITED, 15 * M, 0, 0, NULL, NULL, NULL},
    {"P7D", LIFETIME_LIMITED, 7 * D, 0, 0, NULL, NULL, NULL},
    {"P1DT12H", LIFETIME_LIMITED, 36 * H, 0, 0, NULL, NULL, NULL},
    {"PT0.5H", LIFETIME_LIMITED, 30 * M, 0, 0, NULL, NULL, NULL},
    {"\xe2\x88\x9e", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"0 (forever)", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"0 = never expires", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"kept until deleted", LIFETIME_NONE, 0, 0, 0, NULL, NULL, NULL},
    {"30 days after last write", LIFETIME_LIMITED, 30 * D, 0, 0, NULL, "last write", NULL},
    {"15m (refreshable)", LIFETIME_LIMITED, 15 * M, 0, 0, NULL, "refreshable", NULL},
    {"fifteen minutes", LIFETIME_LIMITED, 15 * M, 0, 0, NULL, NULL, NULL},
    {"yes, 30 days", LIFETIME_LIMITED, 30 * D, 0, 0, NULL, NULL, NULL},
    {"yes", LIFETIME_LIMITED, 0, 0, 0, NULL, NULL, NULL},
    {"15 minutes, configurable", LIFETIME_LIMITED, 15 * M, 0, 0, NULL, NULL, "configurable"},
};

static void test_wordings(void **state) {
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
        struct lifetime got;
        if (!lifetime_read(bytes_from_string(wordings[i].text), &arena, &got))
            fail_msg("'%s' is not read", wordings[i].text);
        if (got.kind != wordings[i].kind || got.default_ms != wordings[i].default_ms ||
            got.minimum_ms != wordings[i].minimum_ms || got.maximum_ms != wordings[i].maximum_ms)
            fail_msg("'%s': kind %d, default %lld, %lld to %lld", wordings[i].text, (int)got.kind,
                     (long long)got.default_ms, (long long)got.minimum_ms,
                     (long long)got.maximum_ms);
        expect_text(got.after, wordings[i].after, wordings[i].text);
        expect_text(got.renewed, wordings[i].renewed, wordings[i].text);
        expect_text(got.note, wordings[i].note, wordings[i].text);
    }
    struct lifetime got;
    assert_false(lifetime_read(BYTES("see the wiki"), &arena, &got));
    assert_false(lifetime_read(BYTES("99999999999999999 weeks"), &arena, &got));
    arena_done(&arena);
}

/* Bare numbers count in what the title of their column says. */
static void test_units(void **state) {
    static const struct {
        const char *title, *text;
        int64_t default_ms, minimum_ms;
    } rows[] = {
        {"TTL (s)", "3600", H, 0},       {"Expiration (seconds)", "86400 (sliding)", D, 0},
        {"expiry_ms", "5000", 5 * S, 0}, {"Lifetime in minutes", "30", 30 * M, 0},
        {"TTL [days]", "~ 2", 2 * D, 0}, {"TTL (min)", "1 hour", H, 0},
        {"TTL (s)", "60-120", 0, M},
    };
    struct arena arena = {0};
    struct lifetime got;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t unit = lifetime_unit(bytes_from_string(rows[i].title));
        if (!unit || !lifetime_read_in(bytes_from_string(rows[i].text), unit, &arena, &got))
            fail_msg("'%s' in '%s' is not read", rows[i].text, rows[i].title);
        if (got.default_ms != rows[i].default_ms || got.minimum_ms != rows[i].minimum_ms)
            fail_msg("'%s' in '%s': %lld, from %lld", rows[i].text, rows[i].title,
                     (long long)got.default_ms, (long long)got.minimum_ms);
    }
    assert_int_equal(lifetime_unit(BYTES("TTL")), 0);
    assert_int_equal(lifetime_unit(BYTES("Expires")), 0);
    assert_true(lifetime_read_in(BYTES("0"), 1000, &arena, &got));
    assert_int_equal(got.kind, LIFETIME_NONE);
    arena_done(&arena);
}

static void test_durations(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"5m", 5 * M},  {"90s", 90 * S}, {"1h30m", 90 * M}, {"7d", 7 * D},
                {"500ms", 500}, {"2w", 14 * D},  {"", 0},           {"5", 0},
                {"m", 0},       {"5 m", 0},      {"-5m", 0},        {"0s", 0},
                {"5x", 0},      {"5M", 0},       {"1h30", 0},       {"999999999999w", 0}};
    char out[DURATION_TEXT_MAX], words[64];
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool ok = duration_parse(bytes_from_string(rows[i].text), &ms);
        if (ok != (rows[i].ms != 0) || (ok && ms != rows[i].ms))
            fail_msg("'%s' gives %lld", rows[i].text, ok ? (long long)ms : -1);
        if (!ok) continue;
        assert_true(duration_parse(bytes_from_string(duration_format(ms, out)), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
    assert_string_equal(duration_format(90 * M, out), "90m");
    assert_string_equal(duration_words(90 * M, words, sizeof words), "1 hour 30 minutes");
    assert_string_equal(duration_words(7 * D, words, sizeof words), "7 days");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_units),
                                       cmocka_unit_test(test_wordings),
                                       cmocka_unit_test(test_durations)};
    return cmocka_run_group_tests_name("lifetime", tests, NULL, NULL);
}
