/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A view of bytes that somebody else owns.
 *
 * What: a pointer and a length, passed by value; keys, values and arguments are binary, so there is
 *       no terminating zero to rely on.
 * Owner: whoever made the bytes. A view of a request's argument lives until its command ends; who
 *        keeps one longer copies it.
 * Lock and errors: none.
 */
#ifndef KN_BASE_BYTES_H
#define KN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const char *data; /* may be NULL when len is 0 */
    size_t len;
};

#define BYTES(literal) ((struct bytes){(literal), sizeof(literal) - 1})

static inline struct bytes bytes_make(const void *data, size_t len) {
    return (struct bytes){(const char *)data, len};
}

static inline struct bytes bytes_from_string(const char *s) {
    return (struct bytes){s, strlen(s)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Order of memcmp, a proper prefix first: the order of members in a sorted set. */
static inline int bytes_compare(struct bytes a, struct bytes b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Case-insensitive comparison with an ASCII word that is written in lower case. */
static inline bool bytes_is_word(struct bytes a, const char *lower) {
    size_t i;
    for (i = 0; i < a.len; i++) {
        char c = a.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (lower[i] == '\0' || c != lower[i]) return false;
    }
    return lower[i] == '\0';
}

#endif
