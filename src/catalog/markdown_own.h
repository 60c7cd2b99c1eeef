/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Documents that catalog_write_markdown wrote, read back without guessing.
 *
 * Owner: the caller's. Lock: none. Errors: reported like those of YAML.
 */
#ifndef KN_CATALOG_MARKDOWN_OWN_H
#define KN_CATALOG_MARKDOWN_OWN_H

#include "catalog/document.h"
#include "catalog/model.h"

/* Whether a text says of itself that it is one. */
bool markdown_is_own(struct bytes text);
/* NULL after an error. */
struct catalog *markdown_read_own(struct document *document, struct diagnostics *diagnostics);

#endif
