/* SPDX-License-Identifier: BSD-3-Clause */
/* Lengths, numbers and strings: written and read again, cut short at every byte,
 * and read piece by piece. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "persist/format.h"
#include "persist/reader.h"
#include "persist/writer.h"

enum { OUT_MAX = 1 << 20 };

static struct rng rng;

/* Reads a string of a payload that is copied to a block of exactly its size, so that the address
 * sanitizer sees any read outside it. */
static int read_copy(struct bytes bytes, struct rdb_text *text, struct bytes *ret_string,
                     char **ret_block) {
    struct rdb_reader reader;
    char *block = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(block);
    if (bytes.len) memcpy(block, bytes.data, bytes.len);
    rdb_reader_init(&reader, bytes_make(block, bytes.len), RDB_VERSION_WRITTEN);
    bool done = rdb_read_string(&reader, text, ret_string);
    assert_int_equal(done, !reader.error);
    if (done) assert_int_equal(rdb_left(&reader), 0);
    *ret_block = block;
    return reader.error;
}

static void round_trip(struct bytes string, bool compress, size_t expected_len) {
    struct buffer out;
    struct rdb_writer writer;
    struct rdb_text text = {0};
    struct bytes got;
    char *block;
    buffer_init(&out, OUT_MAX);
    rdb_writer_init(&writer, &out, compress);
    rdb_write_string(&writer, string);
    assert_int_equal(writer.error, 0);
    if (expected_len) assert_int_equal(out.len, expected_len);
    assert_int_equal(read_copy(buffer_bytes(&out), &text, &got, &block), 0);
    assert_true(bytes_equal(got, string));
    free(block);
    for (size_t len = 0; len < out.len && len < 64; len++) {
        assert_int_equal(read_copy(bytes_make(out.data, len), &text, &got, &block),
                         ERROR_BAD_FORMAT);
        free(block);
    }
    rdb_text_done(&text);
    buffer_done(&out);
}

static void test_strings(void **state) {
    (void)state;
    static char data[70000];
    round_trip(BYTES(""), true, 1);
    round_trip(BYTES("0"), true, 2);
    round_trip(BYTES("-128"), true, 2);
    round_trip(BYTES("128"), true, 3);
    round_trip(BYTES("-32769"), true, 5);
    round_trip(BYTES("2147483647"), true, 5);
    round_trip(BYTES("-2147483648"), true, 5);
    round_trip(BYTES("2147483648"), true, 11);
    round_trip(BYTES("01"), true, 3);
    round_trip(BYTES("-0"), true, 3);
    round_trip(BYTES("+1"), true, 3);
    for (int i = 0; i < 3000; i++) {
        size_t len = rng_below(&rng, rng_below(&rng, 20) ? 300 : sizeof data);
        unsigned letters = 1 + (unsigned)rng_below(&rng, rng_below(&rng, 2) ? 3 : 256);
        for (size_t at = 0; at < len; at++) data[at] = (char)rng_below(&rng, letters);
        round_trip(bytes_make(data, len), rng_below(&rng, 2), 0);
    }
    memset(data, 'x', 100);
    round_trip(bytes_make(data, 20), true, 21);
    round_trip(bytes_make(data, 100), true, 13);
    round_trip(bytes_make(data, 100), false, 102);
}

static void test_damaged_strings(void **state) {
    (void)state;
    static const struct bytes damaged[] = {
        BYTES("\x05"
              "abcd"),
        BYTES("\x80\xff\xff\xff\xff"
              "abc"),
        BYTES("\x81\xff\xff\xff\xff\xff\xff\xff\xff"
              "abc"),
        BYTES("\x82\x01"
              "a"),
        BYTES("\xc4"
              "abc"),
        BYTES("\xc0"),
        BYTES("\xc2\x01\x02\x03"),
        /* compressed: more than could be in it, nothing, less, behind the start, length twice */
        BYTES("\xc3\x02\x41\x00\x00"
              "a"),
        BYTES("\xc3\x02\x00\x00"
              "a"),
        BYTES("\xc3\x02\x02\x00"
              "a"),
        BYTES("\xc3\x02\x03\x20\x00"),
        BYTES("\xc3\xc0\x02\x01\x00"
              "a"),
        BYTES("\xc3\x80\xff\xff\xff\xff\x80\xff\xff\xff\xff"
              "abc"),
        BYTES("\xc3\x81\xff\xff\xff\xff\xff\xff\xff\xff\x81\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct rdb_text text = {0};
        struct bytes got;
        char *block;
        assert_int_equal(read_copy(damaged[i], &text, &got, &block), ERROR_BAD_FORMAT);
        assert_true(text.cap < 1024);
        free(block);
        rdb_text_done(&text);
    }
}

/* Any bytes at all: nothing is read outside, whatever comes of it. */
static void test_random_bytes(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char data[40];
        struct rdb_text text = {0};
        struct bytes got;
        char *block;
        size_t len = rng_below(&rng, sizeof data);
        for (size_t at = 0; at < len; at++) data[at] = (char)rng_next(&rng);
        if (len && rng_below(&rng, 2)) data[0] = (char)0xc3;
        struct rdb_reader reader;
        block = malloc(len ? len : 1);
        assert_non_null(block);
        if (len) memcpy(block, data, len);
        rdb_reader_init(&reader, bytes_make(block, len), RDB_VERSION_WRITTEN);
        unsigned before = 0;
        while (rdb_read_string(&reader, &text, &got)) before += (unsigned)got.len;
        assert_int_equal(reader.error, ERROR_BAD_FORMAT);
        assert_true(before <= sizeof data * RDB_LZF_RATIO_MAX);
        free(block);
        rdb_text_done(&text);
    }
}

static void test_numbers(void **state) {
    (void)state;
    static const uint64_t lengths[] = {
        0, 1, 63, 64, 16383, 16384, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    static const double doubles[] = {0, -0.0, 1.5, INFINITY, -INFINITY, 1e-300};
    struct buffer out;
    struct rdb_writer writer;
    struct rdb_reader reader;
    uint64_t length;
    double number;
    int64_t ms;
    buffer_init(&out, OUT_MAX);
    rdb_writer_init(&writer, &out, true);
    for (size_t i = 0; i < 9; i++) rdb_write_length(&writer, lengths[i]);
    for (size_t i = 0; i < 6; i++) rdb_write_double(&writer, doubles[i]);
    rdb_write_ms(&writer, -5);
    rdb_write_raw(&writer, "\x03-1\x31\xfe\xff\x02\x31\x65", 9);
    rdb_write_double(&writer, NAN);
    assert_int_equal(writer.error, 0);
    rdb_reader_init(&reader, buffer_bytes(&out), RDB_VERSION_WRITTEN);
    for (size_t i = 0; i < 9; i++)
        assert_true(rdb_read_length(&reader, &length) && length == lengths[i]);
    for (size_t i = 0; i < 6; i++)
        assert_true(rdb_read_double(&reader, &number) && number == doubles[i] &&
                    signbit(number) == signbit(doubles[i]));
    assert_true(rdb_read_ms(&reader, &ms) && ms == -5);
    assert_true(rdb_read_double_text(&reader, &number) && number == -11);
    assert_true(rdb_read_double_text(&reader, &number) && number == INFINITY);
    assert_true(rdb_read_double_text(&reader, &number) && number == -INFINITY);
    struct rdb_reader again = reader;
    assert_false(rdb_read_double_text(&again, &number)); /* "1e" */
    reader.at += 3;
    assert_false(rdb_read_double(&reader, &number));
    assert_int_equal(reader.error, ERROR_BAD_FORMAT);
    assert_false(rdb_read_length(&reader, &length));
    buffer_done(&out);
}

/* ---- a source that brings a few bytes at a time ---- */

struct drip {
    struct bytes left;
    char *window;
    size_t len, cap;
};

static bool drip_more(struct rdb_reader *reader, size_t wanted) {
    struct drip *drip = reader->source;
    size_t kept = rdb_left(reader);
    char *moved = malloc(kept + wanted + 16);
    assert_non_null(moved);
    if (kept) memcpy(moved, reader->at, kept);
    while (kept < wanted && drip->left.len) {
        moved[kept++] = *drip->left.data++;
        drip->left.len--;
    }
    free(drip->window);
    drip->window = moved;
    reader->at = (unsigned char *)moved;
    reader->end = reader->at + kept;
    return kept >= wanted;
}

static void test_window_that_moves(void **state) {
    (void)state;
    struct buffer out;
    struct rdb_writer writer;
    buffer_init(&out, OUT_MAX);
    rdb_writer_init(&writer, &out, true);
    char data[200];
    for (unsigned i = 0; i < 200; i++) {
        memset(data, (int)('a' + i % 26), i);
        rdb_write_string(&writer, bytes_make(data, i));
        rdb_write_string(&writer, bytes_make(data, (size_t)snprintf(data, sizeof data, "%u", i)));
    }
    struct drip drip = {.left = buffer_bytes(&out)};
    struct rdb_reader reader;
    struct rdb_text first = {0}, second = {0};
    rdb_reader_init(&reader, bytes_make("", 0), RDB_VERSION_WRITTEN);
    reader.more = drip_more;
    reader.source = &drip;
    for (unsigned i = 0; i < 200; i++) {
        struct bytes a, b;
        assert_true(rdb_read_string(&reader, &first, &a) && rdb_read_string(&reader, &second, &b));
        memset(data, (int)('a' + i % 26), i);
        assert_true(bytes_equal(a, bytes_make(data, i)));
        assert_true(bytes_equal(b, bytes_make(data, (size_t)snprintf(data, sizeof data, "%u", i))));
    }
    unsigned byte;
    assert_false(rdb_read_byte(&reader, &byte));
    assert_int_equal(reader.error, ERROR_BAD_FORMAT);
    free(drip.window);
    rdb_text_done(&first);
    rdb_text_done(&second);
    buffer_done(&out);
}

static void test_full_buffer(void **state) {
    (void)state;
    struct buffer out;
    struct rdb_writer writer;
    buffer_init(&out, 10);
    rdb_writer_init(&writer, &out, true);
    rdb_write_string(&writer, BYTES("abcdefgh"));
    assert_int_equal(writer.error, 0);
    rdb_write_string(&writer, BYTES("abcdefgh"));
    assert_int_equal(writer.error, ERROR_NO_MEMORY);
    rdb_write_byte(&writer, 1);
    assert_true(out.len <= 10);
    buffer_done(&out);
}

int main(void) {
    const char *seed = getenv("SEED");
    rng_seed(&rng, seed ? strtoull(seed, NULL, 10) : 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),      cmocka_unit_test(test_damaged_strings),
        cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_full_buffer),  cmocka_unit_test(test_window_that_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
