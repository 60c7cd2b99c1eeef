/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "proto/reply.h"

/* Writes the same reply in both versions and compares. */
#define CHECK(write, resp2, resp3)                                  \
    do {                                                            \
        struct buffer out;                                          \
        struct reply reply, *r = &reply;                            \
        buffer_init(&out, 1 << 20);                                 \
        reply_init(r, &out, 2);                                     \
        write;                                                      \
        assert_true(bytes_equal(buffer_bytes(&out), BYTES(resp2))); \
        buffer_clear(&out);                                         \
        reply_init(r, &out, 3);                                     \
        write;                                                      \
        assert_true(bytes_equal(buffer_bytes(&out), BYTES(resp3))); \
        assert_false(r->overflow);                                  \
        buffer_done(&out);                                          \
    } while (0)
#define CHECK_SAME(write, text) CHECK(write, text, text)

static void test_kinds(void **state) {
    (void)state;
    CHECK_SAME(reply_ok(r), "+OK\r\n");
    CHECK_SAME(reply_status(r, "QUEUED"), "+QUEUED\r\n");
    CHECK_SAME(reply_int(r, INT64_MIN), ":-9223372036854775808\r\n");
    CHECK_SAME(reply_int(r, 0), ":0\r\n");
    CHECK_SAME(reply_bulk(r, BYTES("")), "$0\r\n\r\n");
    CHECK_SAME(reply_bulk(r, BYTES("a\r\nb\0")), "$5\r\na\r\nb\0\r\n");
    CHECK_SAME(reply_bulk_i64(r, -15), "$3\r\n-15\r\n");
    CHECK_SAME(reply_bulk_format(r, "%d-%s", 5, "x"), "$3\r\n5-x\r\n");
    CHECK(reply_null(r), "$-1\r\n", "_\r\n");
    CHECK(reply_null_array(r), "*-1\r\n", "_\r\n");
    CHECK_SAME(reply_array(r, 3), "*3\r\n");
    CHECK(reply_map(r, 3), "*6\r\n", "%3\r\n");
    CHECK(reply_set(r, 3), "*3\r\n", "~3\r\n");
    CHECK(reply_push(r, 3), "*3\r\n", ">3\r\n");
    CHECK(reply_double(r, 1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
    CHECK(reply_double(r, 3), "$1\r\n3\r\n", ",3\r\n");
    CHECK(reply_double(r, -INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    CHECK(reply_coordinate(r, 10.5), "$4\r\n10.5\r\n", ",10.5\r\n");
    CHECK(reply_bool(r, true), ":1\r\n", "#t\r\n");
    CHECK(reply_bool(r, false), ":0\r\n", "#f\r\n");
    CHECK(reply_verbatim(r, "txt", BYTES("hello")), "$5\r\nhello\r\n", "=9\r\ntxt:hello\r\n");
    CHECK(reply_bignum(r, BYTES("123")), "$3\r\n123\r\n", "(123\r\n");
}

static void test_errors(void **state) {
    (void)state;
    CHECK_SAME(reply_error(r, "ERR syntax error"), "-ERR syntax error\r\n");
    CHECK_SAME(reply_error_format(r, "ERR bad '%s'", "a\r\nb"), "-ERR bad 'a  b'\r\n");
    CHECK_SAME(reply_error_code(r, ERROR_WRONG_TYPE),
               "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    CHECK_SAME((reply_ok(r), reply_error_code(r, 999), assert_int_equal(r->errors, 1),
                assert_int_equal(r->error_at, 5)),
               "+OK\r\n-ERR internal error\r\n");
    for (int code = 1; code < ERROR_COUNT; code++) {
        assert_string_not_equal(reply_error_text(code), "ERR internal error");
    }
    static char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    struct buffer out;
    struct reply reply;
    buffer_init(&out, 1 << 20);
    reply_init(&reply, &out, 2);
    reply_error_format(&reply, "ERR %s", longer);
    assert_int_equal(out.len, 1 + 4 + 1999 + 2);
    buffer_done(&out);
}

static void test_deferred(void **state) {
    size_t mark;
    (void)state;
    CHECK_SAME((reply_ok(r), mark = reply_defer(r), reply_int(r, 1), reply_error(r, "ERR x"),
                reply_defer_array(r, mark, 2), assert_int_equal(r->error_at, 13)),
               "+OK\r\n*2\r\n:1\r\n-ERR x\r\n");
    CHECK((mark = reply_defer(r), reply_int(r, 1), reply_int(r, 2), reply_defer_map(r, mark, 1)),
          "*2\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:2\r\n");
    CHECK((mark = reply_defer(r), reply_defer_set(r, mark, 0)), "*0\r\n", "~0\r\n");
    CHECK_SAME((reply_ok(r), mark = reply_defer(r), reply_int(r, 1), reply_rewind(r, mark)),
               "+OK\r\n");
}

/* Whatever is written when the buffer is full, nothing is written outside it and the flag stays. */
static void test_overflow(void **state) {
    (void)state;
    for (size_t max = 0; max < 300; max++) {
        struct buffer out;
        struct reply reply;
        buffer_init(&out, max);
        reply_init(&reply, &out, 2 + (int)random_below(2));
        for (int i = 0; i < 60; i++) {
            bool before = reply.overflow;
            size_t mark = reply_defer(&reply);
            switch (random_below(8)) {
            case 0: reply_ok(&reply); break;
            case 1: reply_bulk(&reply, BYTES("0123456789")); break;
            case 2: reply_int(&reply, i); break;
            case 3: reply_error(&reply, "ERR x"); break;
            case 4: reply_double(&reply, 0.1); break;
            case 5: reply_defer_array(&reply, mark, 5); break;
            case 6: reply_verbatim(&reply, "txt", BYTES("text")); break;
            default: reply_error_format(&reply, "ERR %d", i); break;
            }
            assert_true(!before || reply.overflow);
            assert_true(out.len <= max);
        }
        assert_true(reply.overflow);
        buffer_done(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_errors),
                                       cmocka_unit_test(test_deferred),
                                       cmocka_unit_test(test_overflow)};
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
