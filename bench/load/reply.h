/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the end of a reply in a buffer, so that replies can be counted and checked.
 * Holds: nothing is kept between calls. Errors: REPLY_BROKEN for bytes that are no RESP2. */
#ifndef BENCH_LOAD_REPLY_H
#define BENCH_LOAD_REPLY_H

#include <stddef.h>

enum reply_kind { REPLY_PARTIAL, REPLY_BROKEN, REPLY_OTHER, REPLY_BULK, REPLY_NIL, REPLY_ERROR };

struct reply {
    enum reply_kind kind;
    size_t total_bytes; /* the whole reply's length in the buffer */
    const char *text;   /* a bulk's or error's bytes */
    size_t text_length;
};

struct reply reply_scan(const char *buffer, size_t length);

#endif
