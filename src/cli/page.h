/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a screen shows, before it is on one: lines of text in styles.
 *
 * What: filled from left to right, line after line; whoever paints it (or a test) reads the spans.
 * Always: a line takes at most the page's columns; what goes beyond is cut. Texts
 *         are safe to show (text.h).
 * Owner: page_done gives everything back; page_start keeps the memory for the next time.
 * Lock: none. Errors: none; a page has at most PAGE_BYTES_MAX bytes, and what goes beyond is lost.
 */
#ifndef KN_CLI_PAGE_H
#define KN_CLI_PAGE_H

#include <stdint.h>

#include "cli/text.h"

enum { PAGE_BYTES_MAX = 8 << 20 };

enum style {
    STYLE_PLAIN,
    STYLE_FAINT, /* what is there and says little: labels, zeros */
    STYLE_STRONG,
    STYLE_TITLE,  /* the first line */
    STYLE_HEAD,   /* of a table */
    STYLE_SORTED, /* the table's head, where it is sorted */
    STYLE_GOOD,
    STYLE_WARNING,
    STYLE_BAD,
    STYLE_CHART,
    STYLE_CHOSEN, /* the line that is selected */
    STYLE_KEY,    /* what can be pressed, in the last line */
    STYLE_KEY_TEXT,
    STYLES
};

struct span {
    size_t at, len;
    enum style style;
};

struct page {
    struct buffer text;
    struct span *spans;
    size_t *lines; /* the first span of each */
    size_t span_count, span_room, line_count, line_room;
    size_t columns, used; /* of a line; of the last line */
    bool utf8;
    enum style over; /* in place of every style but plain's; STYLE_PLAIN: none */
};

/* Empties it; the first line has begun. */
void page_start(struct page *page, size_t columns, bool utf8);
void page_done(struct page *page);

/* Text of our own, or of others, made safe and cut at the end of the line. */
void page_put(struct page *page, enum style style, const char *text);
void page_put_bytes(struct page *page, enum style style, struct bytes text);
void page_printf(struct page *page, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* In exactly so many columns, or what is left of the line. */
void page_fit(struct page *page, enum style style, struct bytes text, size_t columns,
              enum text_side side);
void page_blank(struct page *page, enum style style, size_t columns);
void page_sparkline(struct page *page, enum style style, const float *values, size_t count,
                    size_t columns);
void page_bar(struct page *page, enum style style, double share, size_t columns);
/* Ends the line. */
void page_line(struct page *page);

/* Columns that are left on the line. */
static inline size_t page_left(const struct page *page) {
    return page->columns - page->used;
}

/* The spans of a line. */
static inline size_t page_spans(const struct page *page, size_t line, const struct span **ret) {
    size_t from = page->lines[line];
    *ret = page->spans + from;
    return (line + 1 < page->line_count ? page->lines[line + 1] : page->span_count) - from;
}

#endif
