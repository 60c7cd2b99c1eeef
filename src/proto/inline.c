/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/inline.h"

#include <ctype.h>

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool is_blank(char c) {
    return isspace((unsigned char)c);
}

static char unescape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
    }
}

/*
 * Copies what stands between quotes to *out; at is after the opening quote. Returns the place after
 * the closing one, NULL when it is missing or something sticks to it.
 */
static char *unquote(char *at, const char *end, char quote, char **out) {
    char *to = *out;
    for (;;) {
        if (at == end) return NULL;
        if (*at == quote) break;
        if (*at == '\\' && quote == '"') {
            if (end - at >= 4 && at[1] == 'x' && hex_value(at[2]) >= 0 && hex_value(at[3]) >= 0) {
                *to++ = (char)(hex_value(at[2]) * 16 + hex_value(at[3]));
                at += 4;
                continue;
            }
            if (end - at >= 2) {
                *to++ = unescape(at[1]);
                at += 2;
                continue;
            }
        } else if (*at == '\\' && end - at >= 2 && at[1] == '\'') {
            *to++ = '\'';
            at += 2;
            continue;
        }
        *to++ = *at++;
    }
    at++;
    if (at < end && !is_blank(*at)) return NULL;
    *out = to;
    return at;
}

void inline_begin(struct inline_words *words, char *line, size_t len) {
    words->at = line;
    words->end = line + len;
}

int inline_next(struct inline_words *words, struct bytes *ret_word) {
    char *at = words->at, *end = words->end;
    while (at < end && is_blank(*at)) at++;
    if (at == end) return 0;
    char *start = at, *to = at;
    while (at < end && *at != ' ' && *at != '\n' && *at != '\r' && *at != '\t') {
        if (*at == '"' || *at == '\'') {
            at = unquote(at + 1, end, *at, &to);
            if (!at) return -1;
            break; /* a word ends with its closing quote */
        }
        *to++ = *at++;
    }
    words->at = at;
    *ret_word = bytes_make(start, (size_t)(to - start));
    return 1;
}
