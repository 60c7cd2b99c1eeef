/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What will hurt, found in a catalog and in the document it came from.
 *
 * What: reports hazards of operation: keys that two patterns match, collections that live for ever,
 *       locks without lifetimes, commands that do not do what the text says. Each with its place,
 *       the reason and a remedy.
 * Always: the catalog is a finished one, and stays as it is. A finding is about what is written;
 *         what the reader of a document would have to guess is not reported.
 * Owner: the caller's. Lock: none. Errors: findings are warnings and notes, never errors.
 */
#ifndef KN_CATALOG_CHECK_H
#define KN_CATALOG_CHECK_H

#include "catalog/markdown.h"

/* facts: what else the document says; NULL for a catalog in YAML. */
void catalog_check(const struct catalog *catalog, const struct markdown *facts,
                   struct diagnostics *diagnostics);

#endif
