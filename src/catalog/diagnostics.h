/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with a document, where, and what would be right.
 *
 * What: a list of findings in the manner of a compiler: severity, a code to look up or to silence,
 *       the place, a sentence about what is, and one about what to do.
 * Always: nothing in it points outside it; it may outlive the document. It holds at most
 *         DIAGNOSTICS_MAX findings; what comes after is counted, not kept.
 * Owner: whoever made it calls diagnostics_free. Lock: none, one thread uses it
 *        at a time. Errors: none.
 */
#ifndef KN_CATALOG_DIAGNOSTICS_H
#define KN_CATALOG_DIAGNOSTICS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { DIAGNOSTICS_MAX = 2000, DIAGNOSTIC_TEXT_MAX = 1000 };

enum severity {
    SEVERITY_NOTE,    /* worth knowing: a guess, a line that nobody could read */
    SEVERITY_WARNING, /* works, and will hurt */
    SEVERITY_ERROR,   /* cannot be used as it stands */
    SEVERITIES
};

/* Lines and columns count from 1; 0 is unknown. Columns count bytes. */
struct place {
    const char *file; /* NULL is unknown */
    uint32_t line, column;
};

struct diagnostic {
    enum severity severity;
    const char *code; /* a static string: "type-mismatch" */
    struct place place;
    struct place other; /* a second place that belongs to it; line 0 when there is none */
    const char *what;
    const char *remedy; /* NULL when none is known */
};

struct diagnostics;

struct diagnostics *diagnostics_new(void);
void diagnostics_free(struct diagnostics *diagnostics);

/* code: a static string. */
void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
                     struct place place, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Both belong to the finding that was added last. */
void diagnostics_remedy(struct diagnostics *diagnostics, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diagnostics_other(struct diagnostics *diagnostics, struct place other);

/* Takes back what was kept with this code. */
void diagnostics_forget(struct diagnostics *diagnostics, const char *code);

/* By file, line, column; of one place in the order in which they were added. */
void diagnostics_sort(struct diagnostics *diagnostics);

size_t diagnostics_count(const struct diagnostics *diagnostics);
const struct diagnostic *diagnostics_at(const struct diagnostics *diagnostics, size_t index);
/* How many were added of a severity, kept or not. */
size_t diagnostics_of(const struct diagnostics *diagnostics, enum severity severity);
/* How many were not kept. */
size_t diagnostics_lost(const struct diagnostics *diagnostics);

const char *severity_name(enum severity severity);

/* One line, "file:line:column: error: what; remedy [code]", cut to the buffer's room. */
int diagnostic_print(const struct diagnostic *diagnostic, struct buffer *buffer);

#endif
