/* SPDX-License-Identifier: BSD-3-Clause */
/* Words: searching without regard to case, and the word that was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/words.h"

static void test_searching(void **state) {
    (void)state;
    struct bytes text = BYTES("Cached flow-state (5 min TTL)");
    assert_int_equal(words_find(text, "ttl"), 25);
    assert_true(words_have(text, "state"));
    assert_false(words_have(text, "cache"));
    assert_true(words_have_any(text, "hash|min"));
    assert_false(words_have_any(text, "hash|mi"));
    assert_true(words_are(BYTES("No Expiry"), "none|no expiry"));
    assert_false(words_are(BYTES("No"), "none|no expiry"));
    assert_true(bytes_equal(words_bare(BYTES("  **`x`** ")), BYTES("x")));
    struct bytes rest = BYTES("a\r\n\nb"), line;
    assert_true(words_next_line(&rest, &line) && bytes_equal(line, BYTES("a")));
    assert_true(words_next_line(&rest, &line) && line.len == 0);
    assert_true(words_next_line(&rest, &line) && bytes_equal(line, BYTES("b")));
    assert_false(words_next_line(&rest, &line));
}

static void test_likeness(void **state) {
    static const char *const choices[] = {"type", "lifetime", "tenant", "key", NULL};
    (void)state;
    assert_string_equal(words_nearest(BYTES("tpye"), choices), "type");
    assert_string_equal(words_nearest(BYTES("livetime"), choices), "lifetime");
    assert_string_equal(words_nearest(BYTES("KEY"), choices), "key");
    assert_null(words_nearest(BYTES("purpose"), choices));
    assert_int_equal(words_distance(BYTES("abc"), BYTES("acb"), 3), 1);
    assert_int_equal(words_distance(BYTES("abc"), BYTES("abc"), 3), 0);
    assert_int_equal(words_distance(BYTES("abc"), BYTES("xyz"), 3), 3);
    assert_int_equal(words_distance(BYTES("abcd"), BYTES("wxyz"), 3), 4);
    assert_int_equal(words_distance(BYTES(""), BYTES("ab"), 3), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_searching),
                                       cmocka_unit_test(test_likeness)};
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
