/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "types/bitmap.h"

static uint64_t seed = 1;

/* The model: one bit after the other, as bitmap_get sees them. */
enum { LONGEST = 9000 };

/* A string of its own length on the heap, so that the sanitizer sees what reaches over its end. */
static struct bytes random_string(struct rng *rng, size_t longest) {
    size_t len = 1 + rng_below(rng, longest);
    char *data = malloc(len);
    assert_non_null(data);
    uint64_t kind = rng_below(rng, 4);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(kind == 0 ? 0 : kind == 1 ? 0xff : (int)rng_below(rng, 256));
    for (uint64_t flips = rng_below(rng, 3); flips > 0; flips--)
        data[rng_below(rng, len)] ^= (char)(1 << rng_below(rng, 8));
    return bytes_make(data, len);
}

static void give_back(struct bytes string) {
    free((char *)(uintptr_t)string.data);
}

static void test_single_bits(void **state) {
    (void)state;
    char string[3] = {0};
    assert_false(bitmap_set(string, 0, true));
    assert_false(bitmap_set(string, 15, true));
    assert_true(bitmap_set(string, 15, true));
    assert_int_equal((uint8_t)string[0], 0x80);
    assert_int_equal((uint8_t)string[1], 0x01);
    assert_true(bitmap_get(bytes_make(string, 3), 15));
    assert_true(bitmap_set(string, 15, false));
    assert_false(bitmap_get(bytes_make(string, 3), 15));
    assert_false(bitmap_get(bytes_make(string, 3), 24));
    assert_false(bitmap_get(bytes_make(NULL, 0), 0));
}

static void test_count_and_find(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 3000; round++) {
        struct bytes string = random_string(&rng, round % 4 ? 80 : LONGEST);
        uint64_t bits = string.len * 8, first = rng_below(&rng, bits);
        uint64_t last = first + rng_below(&rng, bits - first), count = 0;
        int64_t found[2] = {-1, -1};
        if (round % 8 == 0) first = 0, last = bits - 1;
        for (uint64_t at = first; at <= last; at++) {
            bool bit = bitmap_get(string, at);
            count += bit;
            if (found[bit] < 0) found[bit] = (int64_t)at;
        }
        assert_int_equal(bitmap_count(string, first, last), count);
        assert_int_equal(bitmap_find(string, false, first, last), found[0]);
        assert_int_equal(bitmap_find(string, true, first, last), found[1]);
        give_back(string);
    }
}

static bool combined(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                     uint64_t at) {
    size_t in = 0;
    bool first = bitmap_get(sources[0], at);
    for (size_t i = 0; i < count; i++) in += bitmap_get(sources[i], at);
    switch (operation) {
    case BITMAP_AND: return in == count;
    case BITMAP_OR: return in > 0;
    case BITMAP_XOR: return in % 2;
    case BITMAP_NOT: return !first;
    case BITMAP_FIRST_ONLY: return first && in == 1;
    case BITMAP_OTHERS_ONLY: return !first && in > 0;
    case BITMAP_FIRST_AND_ANY: return first && in > 1;
    case BITMAP_EXACTLY_ONE: return in == 1;
    }
    return false;
}

static void test_combine(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 400; round++) {
        struct bytes sources[5];
        size_t count = 1 + rng_below(&rng, 5), len = 0;
        enum bitmap_operation operation = (enum bitmap_operation)(round % 8);
        if (operation == BITMAP_NOT) count = 1;
        for (size_t i = 0; i < count; i++) {
            sources[i] = random_string(&rng, round % 5 ? 40 : LONGEST);
            if (i > 0 && rng_below(&rng, 8) == 0) {
                give_back(sources[i]);
                sources[i] = bytes_make(NULL, 0);
            }
            if (sources[i].len > len) len = sources[i].len;
        }
        char *out = malloc(len);
        assert_non_null(out);
        bitmap_combine(operation, sources, count, out, len);
        for (uint64_t at = 0; at < len * 8; at++)
            assert_int_equal(bitmap_get(bytes_make(out, len), at),
                             combined(operation, sources, count, at));
        free(out);
        for (size_t i = 0; i < count; i++) give_back(sources[i]);
    }
}

/* ---- integers ---- */

static uint64_t naive_read(struct bytes string, struct bitmap_field field) {
    uint64_t value = 0;
    for (unsigned i = 0; i < field.bits; i++) value = value << 1 | bitmap_get(string, field.at + i);
    if (field.is_signed && field.bits < 64 && value >> (field.bits - 1))
        value |= UINT64_MAX << field.bits;
    return value;
}

static struct bitmap_field random_field(struct rng *rng, uint64_t below) {
    struct bitmap_field field = {.is_signed = rng_below(rng, 2), .at = rng_below(rng, below)};
    field.bits = (uint8_t)(1 + rng_below(rng, field.is_signed ? 64 : 63));
    return field;
}

static void test_fields(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 20000; round++) {
        struct bytes string = random_string(&rng, 30);
        /* Reading may go over the end. */
        struct bitmap_field field = random_field(&rng, string.len * 8 + 20);
        assert_true((uint64_t)bitmap_read_field(string, field) == naive_read(string, field));
        if (field.at + field.bits <= string.len * 8) {
            uint8_t before[30], bits = field.bits;
            memcpy(before, string.data, string.len);
            uint64_t value = rng_next(&rng);
            bitmap_write_field((char *)(uintptr_t)string.data, field, (int64_t)value);
            for (uint64_t at = 0; at < string.len * 8; at++) {
                bool inside = at >= field.at && at < field.at + bits;
                bool expected = inside ? value >> (bits - 1 - (at - field.at)) & 1
                                       : bitmap_get(bytes_make(before, string.len), at);
                assert_int_equal(bitmap_get(string, at), expected);
            }
        }
        give_back(string);
    }
}

static void test_overflow(void **state) {
    (void)state;
    struct bitmap_field u8 = {.bits = 8}, i8 = {.bits = 8, .is_signed = true};
    struct bitmap_field i64 = {.bits = 64, .is_signed = true}, u63 = {.bits = 63};
    int64_t value = 5;
    assert_true(bitmap_fit_field(u8, 250, 10, BITMAP_WRAP, &value) && value == 4);
    assert_true(bitmap_fit_field(u8, 250, 10, BITMAP_SATURATE, &value) && value == 255);
    assert_true(bitmap_fit_field(u8, 3, -10, BITMAP_SATURATE, &value) && value == 0);
    assert_true(bitmap_fit_field(u8, 3, -10, BITMAP_WRAP, &value) && value == 249);
    assert_true(bitmap_fit_field(u8, -1, 0, BITMAP_SATURATE, &value) && value == 255);
    assert_true(bitmap_fit_field(i8, 127, 1, BITMAP_WRAP, &value) && value == -128);
    assert_true(bitmap_fit_field(i8, -128, -1, BITMAP_SATURATE, &value) && value == -128);
    assert_true(bitmap_fit_field(i8, -200, 0, BITMAP_SATURATE, &value) && value == -128);
    assert_true(bitmap_fit_field(i8, INT64_MIN, 0, BITMAP_SATURATE, &value) && value == 127);
    assert_true(bitmap_fit_field(i64, INT64_MAX, 1, BITMAP_WRAP, &value) && value == INT64_MIN);
    assert_true(bitmap_fit_field(i64, INT64_MIN, -1, BITMAP_SATURATE, &value) &&
                value == INT64_MIN);
    assert_true(bitmap_fit_field(u63, INT64_MAX, 1, BITMAP_WRAP, &value) && value == 0);
    value = 5;
    assert_false(bitmap_fit_field(i8, 100, 28, BITMAP_FAIL, &value));
    assert_false(bitmap_fit_field(u63, 0, -1, BITMAP_FAIL, &value));
    assert_int_equal(value, 5);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_bits), cmocka_unit_test(test_count_and_find),
        cmocka_unit_test(test_combine),     cmocka_unit_test(test_fields),
        cmocka_unit_test(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
