/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the Markdown reader that look at more than one line's words: prefixes and the
 * server's policy, which must be known first (markdown_prefix.c), and tables (markdown_table.c).
 *
 * Owner, lock, errors: see markdown_inside.h.
 */
#ifndef KN_CATALOG_MARKDOWN_PREFIX_H
#define KN_CATALOG_MARKDOWN_PREFIX_H

#include "catalog/markdown_inside.h"

/* Finds the values of {prefix}, and what the document says of eviction. */
void importer_find_prefixes(struct importer *importer);
/* The key with what all keys are said to begin with: its variable for a value of it, and the whole
 * where the document leaves it out. */
struct bytes importer_with_stem(struct importer *importer, struct bytes key);
void importer_table(struct importer *importer, const struct block *block);

#endif
