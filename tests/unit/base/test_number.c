/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from text and to text; the tables hold what Redis 7.0 answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/random.h"

static bool i64(const char *text, int64_t *ret_value) {
    return number_parse_i64(bytes_from_string(text), ret_value);
}

static void test_i64_table(void **state) {
    static const char *const refused[] = {"",
                                          " 1",
                                          "1 ",
                                          "+1",
                                          "01",
                                          "-0",
                                          "-01",
                                          "-",
                                          "--1",
                                          "1.0",
                                          "1e3",
                                          "0x1",
                                          "a",
                                          "1a",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "99999999999999999999",
                                          "18446744073709551616"};
    int64_t value = 77;
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(i64(refused[i], &value));
        assert_int_equal(value, 77);
    }
    assert_true(i64("0", &value) && value == 0);
    assert_true(i64("-1", &value) && value == -1);
    assert_true(i64("9223372036854775807", &value) && value == INT64_MAX);
    assert_true(i64("-9223372036854775808", &value) && value == INT64_MIN);
    uint64_t u = 0;
    assert_true(number_parse_u64(BYTES("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(number_parse_u64(BYTES("18446744073709551616"), &u));
    assert_false(number_parse_u64(BYTES("-1"), &u));
    assert_false(number_parse_i64(bytes_make("1\0", 2), &value));
}

static void test_i64_round_trip(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t value = (int64_t)random_next() >> random_below(64), back = 0;
        char out[NUMBER_I64_MAX], expected[32];
        unsigned len = number_format_i64(out, value);
        int wanted = snprintf(expected, sizeof expected, "%" PRId64, value);
        assert_int_equal(len, wanted);
        assert_memory_equal(out, expected, len);
        assert_true(number_parse_i64(bytes_make(out, len), &back));
        assert_true(back == value);
    }
    for (uint64_t edge = 1; edge < UINT64_MAX / 10; edge *= 10) {
        for (int off = -1; off <= 1; off++) {
            char out[NUMBER_I64_MAX], expected[32];
            unsigned len = number_format_u64(out, edge + (uint64_t)off);
            snprintf(expected, sizeof expected, "%" PRIu64, edge + (uint64_t)off);
            assert_int_equal(len, strlen(expected));
            assert_memory_equal(out, expected, len);
        }
    }
}

static void test_double_table(void **state) {
    static const struct {
        const char *text, *formatted; /* NULL: refused */
    } rows[] = {{"0", "0"},
                {"-0", "-0"},
                {"3", "3"},
                {"+3", "3"},
                {"03", "3"},
                {"3.", "3"},
                {".5", "0.5"},
                {"0.1", "0.10000000000000001"},
                {"1e3", "1000"},
                {"1e16", "10000000000000000"},
                {"1e17", "1e+17"},
                {"1e20", "1e+20"},
                {"123456789012345678", "1.2345678901234568e+17"},
                {"99999999999999999", "1e+17"},
                {"9007199254740993", "9007199254740992"},
                {"0x10", "16"},
                {"0x1p-2", "0.25"},
                {"inf", "inf"},
                {"-INF", "-inf"},
                {"+infinity", "inf"},
                {"1e-320", "9.9998886718268301e-321"},
                {"1.7976931348623157e308", "1.7976931348623157e+308"},
                {"", NULL},
                {" 1", NULL},
                {"1 ", NULL},
                {"\t1", NULL},
                {"1e400", NULL},
                {"-1e400", NULL},
                {"1e-400", NULL},
                {"nan", NULL},
                {"-nan", NULL},
                {"1..2", NULL},
                {".", NULL},
                {"-", NULL},
                {"1x", NULL},
                {"e5", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = 42;
        bool ok = number_parse_double(bytes_from_string(rows[i].text), &value);
        if (!rows[i].formatted) {
            if (ok) fail_msg("'%s' was read as %g", rows[i].text, value);
            assert_true(value == 42);
            continue;
        }
        char out[NUMBER_DOUBLE_MAX + 1];
        if (!ok) fail_msg("'%s' was refused", rows[i].text);
        out[number_format_double(out, value)] = '\0';
        assert_string_equal(out, rows[i].formatted);
    }
}

static void test_double_random(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[64], out[NUMBER_DOUBLE_MAX + 1], expected[64];
        uint64_t bits = random_next();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        /* Plain decimals too, where a shorter way than strtod is taken. */
        if (i % 2)
            value = (double)((int64_t)bits >> random_below(60)) / (double)(1 + bits % 100000);
        snprintf(text, sizeof text, i % 4 == 1 ? "%.*f" : "%.*g", (int)random_below(12), value);
        double parsed = 0, wanted = strtod(text, NULL);
        if (!isfinite(wanted) || (wanted == 0 && value != 0 && !strchr(text, '.'))) continue;
        assert_true(number_parse_double(bytes_from_string(text), &parsed));
        assert_memory_equal(&parsed, &wanted, sizeof wanted);
        out[number_format_double(out, parsed)] = '\0';
        snprintf(expected, sizeof expected, "%.17g", parsed);
        assert_string_equal(out, expected);
    }
    assert_int_equal(number_format_double((char[NUMBER_DOUBLE_MAX]){0}, NAN), 3);
}

static void test_double_long_text(void **state) {
    static char digits[10000];
    double value = 0;
    (void)state;
    memset(digits, '0', sizeof digits);
    digits[sizeof digits - 1] = '7';
    assert_true(number_parse_double(bytes_make(digits, sizeof digits), &value));
    assert_true(value == 7);
    long double wide = 0;
    assert_false(number_parse_long_double(bytes_make(digits, sizeof digits), &wide));
    assert_true(number_parse_long_double(bytes_make(digits + 6000, 4000), &wide) && wide == 7);
}

static void test_long_double(void **state) {
    static const struct {
        const char *text, *formatted;
    } rows[] = {{"0", "0"},
                {"-0", "0"},
                {"3.0", "3"},
                {"0.1", "0.1"},
                {"10.50", "10.5"},
                {"5.0e3", "5000"},
                {"1e20", "100000000000000000000"},
                {"-1.25", "-1.25"},
                {"1e-18", "0"},
                {"0x10", "16"},
                {"3.00000000000000001", "3.00000000000000001"},
                {"inf", "inf"},
                {"nan", NULL},
                {" 1", NULL},
                {"1 ", NULL},
                {"", NULL},
                {"1e5000", NULL}};
    static char out[NUMBER_LONG_DOUBLE_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        long double value;
        bool ok = number_parse_long_double(bytes_from_string(rows[i].text), &value);
        assert_int_equal(ok, rows[i].formatted != NULL);
        if (!ok) continue;
        out[number_format_long_double(out, value)] = '\0';
        assert_string_equal(out, rows[i].formatted);
    }
    long double most = 0;
    assert_true(number_parse_long_double(BYTES("1.18e4932"), &most));
    assert_true(number_format_long_double(out, most) > 4900);
}

static void test_memory(void **state) {
    uint64_t bytes = 0;
    (void)state;
    assert_true(number_parse_memory(BYTES("100"), &bytes) && bytes == 100);
    assert_true(number_parse_memory(BYTES("100b"), &bytes) && bytes == 100);
    assert_true(number_parse_memory(BYTES("1k"), &bytes) && bytes == 1000);
    assert_true(number_parse_memory(BYTES("1Kb"), &bytes) && bytes == 1024);
    assert_true(number_parse_memory(BYTES("100MB"), &bytes) && bytes == 100u << 20);
    assert_true(number_parse_memory(BYTES("2g"), &bytes) && bytes == 2000000000u);
    assert_true(number_parse_memory(BYTES("1gb"), &bytes) && bytes == 1u << 30);
    assert_false(number_parse_memory(BYTES("-1"), &bytes));
    assert_false(number_parse_memory(BYTES(""), &bytes));
    assert_false(number_parse_memory(BYTES("mb"), &bytes));
    assert_false(number_parse_memory(BYTES("1tb"), &bytes));
    assert_false(number_parse_memory(BYTES("1 mb"), &bytes));
    assert_false(number_parse_memory(BYTES("18446744073709551615gb"), &bytes));
    assert_false(number_parse_memory(BYTES("99999999999999999999"), &bytes));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i64_table),        cmocka_unit_test(test_i64_round_trip),
        cmocka_unit_test(test_double_table),     cmocka_unit_test(test_double_random),
        cmocka_unit_test(test_double_long_text), cmocka_unit_test(test_long_double),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
