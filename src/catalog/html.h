/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTML within a Markdown document, as tags and text.
 *
 * What: cuts a block of HTML into tags (their names and row spans) and the text between them;
 *       comments are passed over, character references in texts are what they stand for.
 * Always: every step moves on; a tag that is never closed is text to the end, so that
 *         reading takes linear time.
 * Owner: views lie in the text that was read. Lock: none. Errors: none.
 */
#ifndef KN_CATALOG_HTML_H
#define KN_CATALOG_HTML_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"

enum html_kind { HTML_TEXT, HTML_OPEN, HTML_CLOSE };
enum { HTML_SPAN_MAX = 1000 };

struct html_token {
    enum html_kind kind;
    struct bytes text; /* of a tag, its name */
    unsigned row_span; /* of a cell, 1 unless it says more */
};

/* Takes the next token off the front of rest; false at the end. */
bool html_next(struct bytes *rest, struct html_token *ret_token);

/* Adds a text with its character references written out and its line ends as blanks. */
void html_add_text(struct buffer *buffer, struct bytes text);

#endif
