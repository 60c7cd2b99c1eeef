/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text for screens: names of any bytes shown safely, and figures in few columns.
 *
 * What: what is printable passes; everything else (control characters, what is no UTF-8, marks that
 *       turn the direction of writing or show nothing) is written as \xNN or \uNNNN, and a
 *       backslash as two. So no name can move a cursor.
 * Always: text_fit fills exactly the columns it is given, wide characters included.
 * Owner: the buffer's. Lock: none; text_utf8 reads the process's locale.
 * Errors: a full buffer stays as it is.
 */
#ifndef KN_CLI_TEXT_H
#define KN_CLI_TEXT_H

#include <stdint.h>

#include "base/buffer.h"

/* Bytes of the UTF-8 character at the front; 0 when there is none. */
size_t utf8_length(struct bytes text);

/* Whether the locale's characters are UTF-8; without, everything above ASCII is written as \xNN. */
bool text_utf8(void);

enum text_side { TEXT_LEFT, TEXT_RIGHT };

/* All of it, however long. */
void text_show(struct buffer *out, struct bytes raw, bool utf8);
/* Columns that text_show takes. */
size_t text_columns(struct bytes raw, bool utf8);
/* Cut, with a mark at the end, or filled with blanks. */
void text_fit(struct buffer *out, struct bytes raw, size_t columns, enum text_side side, bool utf8);

enum { FIGURE_TEXT_MAX = 32 };

/* At most 5 columns: 0.4, 9876, 12.3k, 1.23M; for bytes 9876, 12.3K, 1.23M in powers of 1024. */
const char *figure_short(double value, char text[FIGURE_TEXT_MAX]);
const char *figure_bytes(double value, char text[FIGURE_TEXT_MAX]);
/* 1,234,567 */
const char *figure_exact(int64_t value, char text[FIGURE_TEXT_MAX]);
/* 98.7, 100 */
const char *figure_percent(double share, char text[FIGURE_TEXT_MAX]);
/* 45s, 12m 5s, 3h 20m, 5d 3h */
const char *figure_duration(int64_t seconds, char text[FIGURE_TEXT_MAX]);

/* The newest values, from the left; each column as high as its share of the largest shown. */
void text_sparkline(struct buffer *out, const float *values, size_t count, size_t columns,
                    bool utf8);
/* A bar of share (0 to 1) of the columns, in eighths where there is UTF-8. */
void text_bar(struct buffer *out, double share, size_t columns, bool utf8);

#endif
