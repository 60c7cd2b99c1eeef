/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prometheus's text format, version 0.0.4.
 *
 * What: families of samples: HELP and TYPE first, then a line for each sample, with labels.
 * Always: label values are escaped as the format asks; a byte that is not UTF-8 becomes U+FFFD, for
 *         readers refuse the whole page otherwise. Names and help are ours, and need no escaping.
 *         Samples follow their family.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 * Owner: the caller owns the buffer. Lock: none. Errors: what does not fit the buffer makes the
 *         page unusable: exposition_is_whole tells.
 */
#ifndef KN_ADMIN_EXPOSITION_H
#define KN_ADMIN_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct exposition {
    struct buffer *out;
    const char *family;
    bool failed;
};

struct label {
    const char *name, *value;
};

/* The name of a counter ends in _total. */
void exposition_family(struct exposition *exposition, const char *name, enum metric_kind kind,
                       const char *help);
void exposition_int(struct exposition *exposition, const struct label *labels, size_t count,
                    int64_t value);
void exposition_double(struct exposition *exposition, const struct label *labels, size_t count,
                       double value);
static inline bool exposition_is_whole(const struct exposition *exposition) {
    return !exposition->failed;
}

#endif
