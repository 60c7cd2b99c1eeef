/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names from outside, and figures, made fit to be read.
 *
 * What: keys of any bytes as text of one line that no terminal, page or reader mistakes: what does
 *       not print is written \xNN or \uNNNN (also marks that turn the direction of writing), as
 *       text.h does for screens, and what is long is cut; the same in every locale, since reports
 *       are also files. Counts and sizes for people.
 * Always: what show_key adds is UTF-8 without control characters.
 * Owner: the buffer's. Lock: none. Errors: a full buffer stays as it is.
 */
#ifndef KN_CLI_SHOW_H
#define KN_CLI_SHOW_H

#include <stdint.h>

#include "base/buffer.h"

enum { SHOW_KEY_MAX = 160, SHOW_NUMBER_MAX = 40, SHOW_DURATION_MAX = 64 };

/* At most max bytes, then "..." and how many there are. */
void show_key(struct buffer *buffer, struct bytes key, size_t max);
/* Whether show_key would leave it as it is. */
bool show_is_plain(struct bytes key);
/* For HTML, in text and in quoted attributes. */
void show_html(struct buffer *buffer, struct bytes text);
/* "1,234,567", "3.4 MiB"; out has SHOW_NUMBER_MAX bytes and is returned. */
const char *show_count(double count, char *out);
const char *show_bytes(double count, char *out);
/* A lifetime to the precision that matters: "23 minutes", "1 day"; out has
 * SHOW_DURATION_MAX bytes. */
const char *show_duration(int64_t ms, char *out);

#endif
