/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The part of the page of metrics that is about the catalog: a sample of each family for each
 * pattern, for metrics.c. Lock, owner and errors: see there.
 */
#ifndef KN_ADMIN_METRICS_CATALOG_H
#define KN_ADMIN_METRICS_CATALOG_H

#include "admin/exposition.h"

struct catalog_figures;

void metrics_write_catalog(struct exposition *exposition, const struct catalog_figures *figures);

#endif
