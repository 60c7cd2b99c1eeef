/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from outside, fit for terminals and pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/show.h"

static void check_key(struct bytes key, size_t max, const char *expected) {
    struct buffer out;
    buffer_init(&out, 4096);
    show_key(&out, key, max);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, expected);
    buffer_done(&out);
}

static void test_keys(void **state) {
    (void)state;
    check_key(BYTES("user:1"), 100, "user:1");
    check_key(BYTES("caf\xc3\xa9"), 100, "caf\xc3\xa9");
    check_key(BYTES("a\0b\n\r\t\x1b[31m\x7f"), 100, "a\\x00b\\x0a\\x0d\\x09\\x1b[31m\\x7f");
    check_key(BYTES("\xff\xc3"), 100, "\\xff\\xc3");
    check_key(BYTES("back\\slash"), 100, "back\\\\slash");
    /* Direction marks, zero width, C1 controls: seen as what they are. */
    check_key(BYTES("\xe2\x80\xae\xe2\x80\x8b\xc2\x9b\xef\xbb\xbf"), 100,
              "\\u202e\\u200b\\u009b\\ufeff");
    check_key(BYTES("abcdef"), 3, "abc... (6 bytes)");
    check_key(BYTES("ab\xc3\xa9"), 3, "ab... (4 bytes)");
    check_key(BYTES(""), 3, "");
    assert_true(show_is_plain(BYTES("caf\xc3\xa9")));
    assert_false(show_is_plain(BYTES("a\nb")));
    assert_false(show_is_plain(BYTES("\xe2\x80\xae")));
}

static void test_html(void **state) {
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    show_html(&out, BYTES("<a href=\"x\" id='y'>&amp;"));
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
    buffer_done(&out);
}

static void test_figures(void **state) {
    char out[SHOW_DURATION_MAX];
    (void)state;
    assert_string_equal(show_count(0, out), "0");
    assert_string_equal(show_count(999, out), "999");
    assert_string_equal(show_count(1234567.4, out), "1,234,567");
    assert_string_equal(show_count(-3, out), "0");
    assert_string_equal(show_bytes(1023, out), "1023 B");
    assert_string_equal(show_bytes(1024, out), "1.0 KiB");
    assert_string_equal(show_bytes(1048575, out), "1.0 MiB");
    assert_string_equal(show_bytes(150.0 * 1024 * 1024, out), "150 MiB");
    assert_string_equal(show_duration(0, out), "1 second");
    assert_string_equal(show_duration(86399000, out), "1 day");
    assert_string_equal(show_duration(90000, out), "1 minute 30 seconds");
    assert_string_equal(show_duration(2699000, out), "45 minutes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_figures),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
