/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON, written.
 *
 * What: texts escaped as JSON wants them; what is no UTF-8 becomes U+FFFD, so that
 *       the result is always JSON.
 * Owner: the buffer's. Lock: none. Errors: a full buffer stays as it is; output is
 *        checked once, at its end.
 */
#ifndef KN_CLI_JSON_H
#define KN_CLI_JSON_H

#include "base/buffer.h"

/* With quotes around; NULL is null. */
void json_text(struct buffer *buffer, const char *text);
void json_bytes(struct buffer *buffer, struct bytes text);

#endif
