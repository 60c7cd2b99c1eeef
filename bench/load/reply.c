/* SPDX-License-Identifier: BSD-3-Clause */
#include "reply.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

/* Reads "<digits>\r\n" and returns the bytes taken; 0 when they are not all there. */
static size_t line_number(const char *at, const char *end, long long *ret_number) {
    const char *start = at;
    bool negative = at < end && *at == '-';
    long long number = 0;
    at += negative;
    while (at < end && *at >= '0' && *at <= '9') number = number * 10 + (*at++ - '0');
    if (end - at < 2) return 0;
    *ret_number = negative ? -number : number;
    return (size_t)(at - start) + 2;
}

static struct reply scan(const char *buffer, const char *end, int depth) {
    struct reply partial = {.kind = REPLY_PARTIAL}, broken = {.kind = REPLY_BROKEN};
    if (buffer == end) return partial;
    if (*buffer == '+' || *buffer == '-' || *buffer == ':') {
        const char *stop = memchr(buffer, '\n', (size_t)(end - buffer));
        if (!stop) return partial;
        return (struct reply){*buffer == '-' ? REPLY_ERROR : REPLY_OTHER,
                              (size_t)(stop - buffer) + 1, buffer, (size_t)(stop - buffer) - 1};
    }
    if ((*buffer != '$' && *buffer != '*') || depth == MAX_DEPTH) return broken;
    long long number = 0;
    size_t taken = line_number(buffer + 1, end, &number) + 1;
    if (taken == 1) return partial;
    if (number < 0) return (struct reply){.kind = REPLY_NIL, .total_bytes = taken};
    if (*buffer == '$') {
        if (end - buffer < (long long)taken + number + 2) return partial;
        return (struct reply){REPLY_BULK, taken + (size_t)number + 2, buffer + taken,
                              (size_t)number};
    }
    struct reply whole = {.kind = REPLY_OTHER, .total_bytes = taken};
    for (long long i = 0; i < number; i++) {
        struct reply one = scan(buffer + whole.total_bytes, end, depth + 1);
        if (one.kind == REPLY_PARTIAL || one.kind == REPLY_BROKEN) return one;
        whole.total_bytes += one.total_bytes;
    }
    return whole;
}

struct reply reply_scan(const char *buffer, size_t length) {
    return scan(buffer, buffer + length, 0);
}
