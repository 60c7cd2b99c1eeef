/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Markdown document as blocks: headings, paragraphs, list items, tables, code.
 *
 * What: what cmark-gfm's parser says, flat and in order, with the text of inline markup: emphasis
 *       is gone, code stands in backquotes. Every block, cell and line of code knows its place.
 * Always: texts lie in the document's arena; nothing points into the parser.
 * Owner: whoever parsed it calls document_free. Lock: none; parsing takes one of its own, once.
 * Errors: a document that is too large is reported.
 */
#ifndef KN_CATALOG_DOCUMENT_H
#define KN_CATALOG_DOCUMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "catalog/diagnostics.h"

enum { DOCUMENT_BLOCKS_MAX = 200000, DOCUMENT_COLUMNS_MAX = 64, DOCUMENT_LINE_SEARCHED = 8192 };

enum block_kind { BLOCK_HEADING, BLOCK_PARAGRAPH, BLOCK_ITEM, BLOCK_TABLE, BLOCK_CODE };

struct cell {
    struct bytes text;
    struct place place;
};

struct row {
    struct cell *cells;
    size_t count;
};

struct block {
    enum block_kind kind;
    unsigned level;      /* of a heading 1 to 6, of an item how deep its list lies, from 1 */
    struct place place;  /* of code: its first line, without the fence */
    struct bytes text;   /* of code: its lines; of the rest: one line */
    struct bytes broken; /* the same with its line ends, when it has any; empty otherwise */
    struct bytes info;   /* of code: its language, lower case */
    struct row *rows;    /* of a table; the first is its head */
    size_t row_count;
    /* The block number of the heading it stands under, its own for a heading; SIZE_MAX none. */
    size_t section;
    size_t parent; /* of a heading: the heading above it; SIZE_MAX none */
};

struct document {
    struct arena arena;
    struct bytes source;
    const char *file;
    struct block *blocks;
    size_t count, room;
    struct bytes *lines; /* of the source, from 0 */
    size_t line_count;
};

/* NULL after an error. The text is copied. */
struct document *document_parse(struct bytes text, const char *file,
                                struct diagnostics *diagnostics);
void document_free(struct document *document);

/* The place of a text in a line (from 1), its column found by looking; the line's
 * start when it is not there. */
struct place document_place(const struct document *document, uint32_t line, struct bytes text);

/* The heading above a heading (both block numbers); SIZE_MAX when there is none. */
size_t document_parent(const struct document *document, size_t section);

/* Takes the next code span off the front of a text, without its backquotes; false when there is
 * none. What stood before it goes to ret_before unless that is NULL. */
bool document_next_code(struct bytes *rest, struct bytes *ret_before, struct bytes *ret_code);

#endif
