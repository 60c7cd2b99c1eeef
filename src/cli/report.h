/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Findings for people and for machines.
 *
 * What: prints diagnostics as a good compiler does: the place, what is wrong, the line it stands in
 *       with a mark, and what to do; or as JSON.
 * Owner: the caller's. Lock: none. Errors: what cannot be written is lost.
 */
#ifndef KN_CLI_REPORT_H
#define KN_CLI_REPORT_H

#include <stdio.h>

#include "base/buffer.h"
#include "catalog/diagnostics.h"

struct report_source {
    const char *file;
    struct bytes text;
};

struct report_options {
    const struct report_source *sources; /* where lines are shown from */
    size_t source_count;
    bool colour;
    enum severity least; /* what is less is only counted */
};

/* Whether a stream is a terminal that wants colours (NO_COLOR is not set). */
bool report_colour(FILE *stream);
void report_print(FILE *stream, const struct diagnostics *diagnostics,
                  const struct report_options *options);
/* "3 errors, 1 warning" */
void report_summary(FILE *stream, const struct diagnostics *diagnostics);
/* A JSON array. */
void report_json(struct buffer *buffer, const struct diagnostics *diagnostics, enum severity least);

#endif
