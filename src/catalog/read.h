/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A catalog from a file: YAML, or a Markdown document, by the ending of its name.
 *
 * Always: no other endings, so that who may name a file to a server cannot have it quote
 *         any file of the machine.
 * Owner: the caller, of the catalog. Lock: none. Errors: reported.
 */
#ifndef KN_CATALOG_READ_H
#define KN_CATALOG_READ_H

#include <stdbool.h>

#include "catalog/model.h"

/* .md and .markdown */
bool catalog_is_document(const char *path);
/* NULL when there was an error. */
struct catalog *catalog_read(const char *path, struct diagnostics *diagnostics);

#endif
