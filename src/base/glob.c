/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every token but '*' takes exactly one byte, so of several stars only the last one met has to be
 * tried again: if the rest fails wherever that star ends, an earlier star ending later would only
 * have fewer places to offer. That keeps the work below pattern length times string length.
 */
#include "base/glob.h"

static int lower(int c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/*
 * Matches one byte against the class whose '[' is at p; *ret_end is the first byte after it. The
 * details clients can see: bounds in the wrong order are swapped, an escaped byte ignores nocase,
 * and bytes compare as signed chars.
 */
static bool match_class(const char *p, const char *end, char byte, bool nocase,
                        const char **ret_end) {
    bool found = false;
    p++;
    bool negated = p < end && *p == '^';
    if (negated) p++;
    for (; p < end && *p != ']'; p++) {
        if (*p == '\\' && end - p >= 2) {
            p++;
            if (*p == byte) found = true;
        } else if (end - p >= 3 && p[1] == '-') {
            int from = (signed char)p[0], to = (signed char)p[2], c = (signed char)byte;
            if (from > to) {
                int swap = from;
                from = to;
                to = swap;
            }
            if (nocase) {
                from = lower(from);
                to = lower(to);
                c = lower(c);
            }
            p += 2;
            if (c >= from && c <= to) found = true;
        } else if (nocase ? lower(*p) == lower(byte) : *p == byte) {
            found = true;
        }
    }
    *ret_end = p < end ? p + 1 : end;
    return found != negated;
}

/* Matches one byte against the token at p, which is not a star. */
static bool match_token(const char *p, const char *end, char byte, bool nocase,
                        const char **ret_end) {
    if (*p == '[') return match_class(p, end, byte, nocase, ret_end);
    if (*p == '?') {
        *ret_end = p + 1;
        return true;
    }
    if (*p == '\\' && end - p >= 2) p++;
    *ret_end = p + 1;
    return nocase ? lower(*p) == lower(byte) : *p == byte;
}

bool glob_match(struct bytes pattern, struct bytes string, bool nocase) {
    const char *p = pattern.data, *pend = p + pattern.len;
    const char *s = string.data, *send = s + string.len;
    const char *star = NULL,
               *star_at = NULL; /* after the last star met; the first byte it leaves */

    /* An empty string matches an empty pattern only, not even "*". */
    if (string.len == 0) return pattern.len == 0;
    while (s < send) {
        const char *next;
        if (p < pend && *p == '*') {
            while (p < pend && *p == '*') p++;
            if (p == pend) return true;
            star = p;
            star_at = s;
        } else if (p < pend && match_token(p, pend, *s, nocase, &next)) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++star_at;
        } else {
            return false;
        }
    }
    while (p < pend && *p == '*') p++;
    return p == pend;
}
