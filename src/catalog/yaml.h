/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A catalog as YAML: the complete form.
 *
 * What: reads keyspace.yaml, whose fields docs/catalog.md describes and
 *       share/keyspace.schema.json checks in editors; writes it with one order and one form of
 *       everything, so that versions can be compared.
 * Always: what is written, read again, is the same catalog.
 * Owner: the caller owns the catalog. Lock: none. Errors: each with file, line, column, what is
 *        wrong and what would be right.
 */
#ifndef KN_CATALOG_YAML_H
#define KN_CATALOG_YAML_H

#include "base/buffer.h"
#include "catalog/model.h"

/* NULL when there was an error. */
struct catalog *catalog_read_yaml(struct bytes text, const char *file,
                                  struct diagnostics *diagnostics);

/* Adds the catalog to the buffer. Returns 0 or ERROR_NO_MEMORY. */
int catalog_write_yaml(const struct catalog *catalog, struct buffer *buffer);

/* Adds the fields of one pattern, or with NULL those of the catalog itself, one a line: "name:
 * value". The same to two catalogs is the same in both. Returns 0 or ERROR_NO_MEMORY. */
int catalog_write_lines(const struct catalog *catalog, const struct pattern *pattern,
                        struct buffer *buffer);

struct yaml_node;
/* Reads the tree of a document, and takes the catalog, which is new. NULL
 * when there was an error. */
struct catalog *catalog_from_tree(struct catalog *catalog, const struct yaml_node *root,
                                  struct diagnostics *diagnostics);

#endif
