/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page of HTML that needs no network.
 *
 * What: the head with style and the policy for content, and the scripts, at the end: data,
 *       Chart.js, our own. All of it is in the program (tools/embed).
 * Always: only these two scripts may run, since the policy names their digests; what gets into the
 *         page in spite of all care is text.
 * Owner: the buffer's. Lock: none. Errors: ERROR_NO_MEMORY.
 */
#ifndef KN_CLI_HTML_H
#define KN_CLI_HTML_H

#include "base/buffer.h"

int html_begin(struct buffer *out, struct bytes title);
/* data: JSON. */
int html_end(struct buffer *out, struct bytes data);

#endif
