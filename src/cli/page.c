/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_ROOM = 64 };

static void begin_line(struct page *page) {
    if (page->line_count == page->line_room) {
        page->line_room = page->line_room ? page->line_room * 2 : FIRST_ROOM;
        page->lines = mem_realloc(page->lines, page->line_room * sizeof *page->lines);
    }
    page->lines[page->line_count++] = page->span_count;
    page->used = 0;
}

void page_start(struct page *page, size_t columns, bool utf8) {
    page->text.max = PAGE_BYTES_MAX;
    buffer_clear(&page->text);
    page->span_count = page->line_count = 0;
    page->columns = columns;
    page->utf8 = utf8;
    page->over = STYLE_PLAIN;
    begin_line(page);
}

void page_done(struct page *page) {
    buffer_done(&page->text);
    mem_free(page->spans);
    mem_free(page->lines);
    *page = (struct page){0};
}

void page_line(struct page *page) {
    begin_line(page);
}

/* What was appended to the text since `at` is a span of so many columns. */
static void add_span(struct page *page, enum style style, size_t at, size_t columns) {
    if (page->text.len == at) return;
    if (page->span_count == page->span_room) {
        page->span_room = page->span_room ? page->span_room * 2 : FIRST_ROOM;
        page->spans = mem_realloc(page->spans, page->span_room * sizeof *page->spans);
    }
    if (page->over != STYLE_PLAIN) style = page->over;
    page->spans[page->span_count++] = (struct span){at, page->text.len - at, style};
    page->used += columns;
}

static size_t at_most_left(const struct page *page, size_t columns) {
    return columns < page_left(page) ? columns : page_left(page);
}

void page_fit(struct page *page, enum style style, struct bytes text, size_t columns,
              enum text_side side) {
    size_t at = page->text.len;
    columns = at_most_left(page, columns);
    if (columns == 0) return;
    text_fit(&page->text, text, columns, side, page->utf8);
    add_span(page, style, at, columns);
}

void page_put_bytes(struct page *page, enum style style, struct bytes text) {
    size_t columns = text_columns(text, page->utf8);
    page_fit(page, style, text, columns, TEXT_LEFT);
}

void page_put(struct page *page, enum style style, const char *text) {
    page_put_bytes(page, style, bytes_from_string(text));
}

void page_printf(struct page *page, enum style style, const char *format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    page_put(page, style, text);
}

void page_blank(struct page *page, enum style style, size_t columns) {
    page_fit(page, style, BYTES(""), columns, TEXT_LEFT);
}

void page_sparkline(struct page *page, enum style style, const float *values, size_t count,
                    size_t columns) {
    size_t at = page->text.len;
    columns = at_most_left(page, columns);
    text_sparkline(&page->text, values, count, columns, page->utf8);
    add_span(page, style, at, columns);
}

void page_bar(struct page *page, enum style style, double share, size_t columns) {
    size_t at = page->text.len;
    columns = at_most_left(page, columns);
    text_bar(&page->text, share, columns, page->utf8);
    add_span(page, style, at, columns);
}
