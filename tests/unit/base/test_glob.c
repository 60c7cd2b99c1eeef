/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns: facts that Redis 7.0 agrees with, and random ones against a plain recursive matcher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/glob.h"
#include "base/random.h"

static void test_table(void **state) {
    static const struct {
        const char *pattern, *string;
        bool nocase, matches;
    } rows[] = {
        {"", "", false, true},
        {"*", "", false, false},
        {"", "a", false, false},
        {"*", "a", false, true},
        {"**", "abc", false, true},
        {"a*", "a", false, true},
        {"a**", "a", false, true},
        {"a*b", "ab", false, true},
        {"a*b", "aXbXb", false, true},
        {"a*b", "aXbX", false, false},
        {"*a*b*c*", "xaxbxcx", false, true},
        {"?", "", false, false},
        {"h?llo", "hello", false, true},
        {"h?llo", "hllo", false, false},
        {"h[ae]llo", "hallo", false, true},
        {"h[ae]llo", "hillo", false, false},
        {"h[^e]llo", "hallo", false, true},
        {"h[^e]llo", "hello", false, false},
        {"h[a-c]llo", "hbllo", false, true},
        {"h[c-a]llo", "hbllo", false, true},
        {"[!a]", "!", false, true},
        {"[]", "a", false, false},
        {"[^]", "a", false, true},
        {"[", "[", false, false},
        {"[^", "x", false, true},
        {"[a", "a", false, true},
        {"[a-", "-", false, true},
        {"[a-", "b", false, false},
        {"[\\]]", "]", false, true},
        {"[\\a]", "A", true, false},
        {"[a]", "A", true, true},
        {"[A-C]", "b", true, true},
        {"\\*", "*", false, true},
        {"\\*", "a", false, false},
        {"\\", "\\", false, true},
        {"a\\", "a\\", false, true},
        {"ABC", "abc", true, true},
        {"ABC", "abc", false, false},
        {"[a-\xff]", "b", false, false},
        {"[a-\xff]", "a", false, true},
        {"[\x80-\xff]", "\x90", false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool matches = glob_match(bytes_from_string(rows[i].pattern),
                                  bytes_from_string(rows[i].string), rows[i].nocase);
        if (matches != rows[i].matches) {
            fail_msg("'%s' against '%s' gives %d", rows[i].pattern, rows[i].string, matches);
        }
    }
}

/* Stars, question marks and letters only: what is left of the language without its quirks. */
static bool naive(const char *p, size_t plen, const char *s, size_t slen) {
    if (plen == 0) return slen == 0;
    if (*p == '*') {
        for (size_t skip = 0; skip <= slen; skip++) {
            if (naive(p + 1, plen - 1, s + skip, slen - skip)) return true;
        }
        return false;
    }
    return slen > 0 && (*p == '?' || *p == *s) && naive(p + 1, plen - 1, s + 1, slen - 1);
}

static void test_random(void **state) {
    unsigned matched = 0;
    (void)state;
    for (int i = 0; i < 300000; i++) {
        char p[10], s[10];
        size_t plen = random_below(sizeof p), slen = 1 + random_below(sizeof s - 1);
        for (size_t at = 0; at < plen; at++) p[at] = "ab*?"[random_below(4)];
        for (size_t at = 0; at < slen; at++) s[at] = "ab"[random_below(2)];
        bool matches = glob_match(bytes_make(p, plen), bytes_make(s, slen), false);
        assert_int_equal(matches, naive(p, plen, s, slen));
        matched += matches;
    }
    assert_true(matched > 1000);
}

/* Garbage of every kind is read within its bounds (the sanitizers watch), and never takes long. */
static void test_garbage(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t plen = random_below(12), slen = random_below(12);
        /* Of exactly their length, so that a byte too far is noticed. */
        char *p = malloc(plen ? plen : 1), *s = malloc(slen ? slen : 1);
        for (size_t at = 0; at < plen; at++) p[at] = "[]^-\\*?a\xff"[random_below(9)];
        for (size_t at = 0; at < slen; at++) s[at] = "[]^-\\*?a\xff"[random_below(9)];
        glob_match(bytes_make(p, plen), bytes_make(s, slen), i & 1);
        free(p);
        free(s);
    }
    char hard[4001], string[4000];
    for (size_t i = 0; i < sizeof hard; i++) hard[i] = i % 2 ? '*' : 'a';
    hard[sizeof hard - 1] = 'b';
    memset(string, 'a', sizeof string);
    assert_false(
        glob_match(bytes_make(hard, sizeof hard), bytes_make(string, sizeof string), false));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_garbage)};
    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
