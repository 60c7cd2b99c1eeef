/* SPDX-License-Identifier: BSD-3-Clause */
/* The text that Prometheus reads: lines, escapes, numbers, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/exposition.h"

static void assert_text(struct buffer *buffer, const char *expected) {
    assert_int_equal(buffer->len, strlen(expected));
    assert_memory_equal(buffer->data, expected, buffer->len);
    buffer->len = 0;
}

static void test_lines(void **state) {
    (void)state;
    struct buffer buffer;
    struct exposition exposition = {.out = &buffer};
    struct label labels[] = {{"catalog", "shop"}, {"pattern", "cache"}};
    buffer_init(&buffer, 4096);
    exposition_family(&exposition, "a_total", METRIC_COUNTER, "How many.");
    exposition_int(&exposition, NULL, 0, 7);
    exposition_family(&exposition, "b", METRIC_GAUGE, "How much.");
    exposition_int(&exposition, labels, 2, -1);
    exposition_int(&exposition, labels, 1, INT64_MAX);
    assert_true(exposition_is_whole(&exposition));
    assert_text(&buffer, "# HELP a_total How many.\n# TYPE a_total counter\na_total 7\n"
                         "# HELP b How much.\n# TYPE b gauge\n"
                         "b{catalog=\"shop\",pattern=\"cache\"} -1\n"
                         "b{catalog=\"shop\"} 9223372036854775807\n");
    buffer_done(&buffer);
}

/* What stands in a label for each value. */
static void test_escapes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a\\b\"c\nd", "a\\\\b\\\"c\\nd"},
        {"\\n", "\\\\n"},
        {"{},=# \t\r", "{},=# \t\r"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        /* What is no UTF-8: a byte alone, cut short, longer than needed, a
         * surrogate, beyond the last. */
        {"\x80", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc3\"", "\xef\xbf\xbd\\\""},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff", "\xef\xbf\xbd"},
    };
    struct buffer buffer;
    struct exposition exposition = {.out = &buffer};
    buffer_init(&buffer, 4096);
    exposition_family(&exposition, "a", METRIC_GAUGE, "x");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct label label = {"l", cases[i][0]};
        char expected[256];
        buffer.len = 0;
        exposition_int(&exposition, &label, 1, 0);
        snprintf(expected, sizeof expected, "a{l=\"%s\"} 0\n", cases[i][1]);
        assert_text(&buffer, expected);
    }
    buffer_done(&buffer);
}

static void test_numbers(void **state) {
    (void)state;
    static const double numbers[] = {0,           1,     0.1,    1e-6,   8.5e-05,
                                     1234567.891, 1e300, 5e-324, 1. / 3, -2.,
                                     1 << 30,     0.3,   2. / 3, 1e17,   1e22};
    struct buffer buffer;
    struct exposition exposition = {.out = &buffer};
    buffer_init(&buffer, 4096);
    exposition_family(&exposition, "a", METRIC_GAUGE, "x");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[64];
        buffer.len = 0;
        exposition_double(&exposition, NULL, 0, numbers[i]);
        assert_in_range(buffer.len, 4, sizeof text - 1);
        memcpy(text, buffer.data, buffer.len);
        text[buffer.len] = '\0';
        assert_true(strtod(text + 2, NULL) == numbers[i]);
    }
    buffer.len = 0;
    exposition_double(&exposition, NULL, 0, 8.5e-05);
    assert_text(&buffer, "a 8.5e-05\n");
    buffer_done(&buffer);
}

/* A page that ends anywhere is not whole, and says so. */
static void test_no_room(void **state) {
    (void)state;
    struct label label = {"l", "\"value\""};
    size_t whole = 0;
    for (size_t max = 1; whole == 0 || max < whole + 10; max++) {
        struct buffer buffer;
        struct exposition exposition = {.out = &buffer};
        buffer_init(&buffer, max);
        exposition_family(&exposition, "a", METRIC_GAUGE, "x");
        exposition_int(&exposition, &label, 1, 1);
        exposition_double(&exposition, &label, 1, 0.5);
        if (whole == 0 && exposition_is_whole(&exposition)) whole = buffer.len;
        assert_true(exposition_is_whole(&exposition) == (whole != 0 && max >= whole));
        buffer_done(&buffer);
    }
    assert_int_equal(whole, strlen("# HELP a x\n# TYPE a gauge\na{l=\"\\\"value\\\"\"} 1\n"
                                   "a{l=\"\\\"value\\\"\"} 0.5\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
