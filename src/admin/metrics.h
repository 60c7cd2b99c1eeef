/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page of metrics: docs/metrics.md lists them.
 *
 * What: what INFO tells in sections and fields, in Prometheus's format, with patterns
 *       of the catalog as labels.
 * Always: how many samples there are is bounded by the catalogs, the databases, and the command
 *         table, whatever clients do.
 * Lock: none held; takes none but the owners' own. On any thread. Owner: the caller's.
 * Errors: false when the page does not fit its buffer.
 */
#ifndef KN_ADMIN_METRICS_H
#define KN_ADMIN_METRICS_H

#include <stdbool.h>

#include "base/buffer.h"

struct keyspace_figures;
struct server;

bool metrics_write(struct server *server, const struct keyspace_figures *keyspace,
                   struct buffer *out);

#endif
