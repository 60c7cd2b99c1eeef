/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a container's HELP replies.
 */
#ifndef KN_SERVER_HELP_H
#define KN_SERVER_HELP_H

#include "server/request.h"

static inline void reply_help_lines(struct request *request, const char *const *lines,
                                    size_t count) {
    reply_array(request->reply, count);
    for (size_t i = 0; i < count; i++) reply_status(request->reply, lines[i]);
}

/* lines: an array of constant strings. */
#define REPLY_HELP(request, lines) \
    reply_help_lines((request), (lines), sizeof(lines) / sizeof *(lines))

#endif
