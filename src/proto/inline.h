/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of an inline request.
 *
 * What: words between blanks; "double quoted" with \n \r \t \b \a \xHH and \ before anything else,
 *       'single quoted' with \' only. The words are unquoted in place, where they always fit.
 * Owner: the words point into the line. Lock: none.
 * Errors: a quote that is not closed, or not followed by a blank.
 */
#ifndef KN_PROTO_INLINE_H
#define KN_PROTO_INLINE_H

#include "base/bytes.h"

struct inline_words {
    char *at;
    char *end;
};

/* The line is len writable bytes. */
void inline_begin(struct inline_words *words, char *line, size_t len);
/* 1 with the next word, 0 at the end, -1 on an error. */
int inline_next(struct inline_words *words, struct bytes *ret_word);

#endif
