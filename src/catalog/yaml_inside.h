/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the YAML reader share.
 *
 * What: yaml_values.c reads single values and maps of known fields, yaml_pattern.c a pattern,
 *       yaml_read.c the catalog. Each value that is not what it should be is reported where it
 *       stands; reading goes on.
 * Always: a value that was reported is left at zero or NULL.
 * Owner: the reader lives as long as catalog_from_tree; texts are the catalog's. Lock: none.
 * Errors: reported; functions that answer a number or a text answer 0 or NULL after one.
 */
#ifndef KN_CATALOG_YAML_INSIDE_H
#define KN_CATALOG_YAML_INSIDE_H

#include "catalog/model.h"
#include "catalog/yaml_tree.h"

struct reader {
    struct catalog *catalog;
    struct diagnostics *diagnostics;
    struct pattern *pattern; /* the one being read */
};

/* A field of a map, and what reads its value. Tables of them end with a row without a name. */
struct reader_field {
    const char *name;
    void (*read)(struct reader *reader, const struct yaml_node *node);
};

/* For the beginning of a text in a message: "%.*s". */
#define SHOW(bytes) (int)((bytes).len > 60 ? 60 : (bytes).len), (bytes).data

/* remedy may be NULL. */
void reader_error(struct reader *reader, const struct yaml_node *node, const char *what,
                  const char *remedy);
bool reader_is_text(struct reader *reader, const struct yaml_node *node, const char *what);
bool reader_map(struct reader *reader, const struct yaml_node *map, const char *what,
                const struct reader_field *fields);
/* The place of a word in a list of names, from the first that may be chosen; -1 when it is none. */
int reader_choice(struct reader *reader, const struct yaml_node *node, const char *what,
                  const char *const *names, int first);
/* Prose: one line, with single blanks. NULL when it is empty, too. */
const char *reader_text(struct reader *reader, const struct yaml_node *node, const char *what);
bool reader_bool(struct reader *reader, const struct yaml_node *node, const char *what);
int64_t reader_duration(struct reader *reader, const struct yaml_node *node, const char *what);
uint64_t reader_size(struct reader *reader, const struct yaml_node *node, const char *what);
bool reader_template(struct reader *reader, const struct yaml_node *node,
                     struct pattern_template *ret_template);
bool reader_database(struct reader *reader, const struct yaml_node *node, uint32_t *ret);

/* A list, or one thing without the list around it. */
size_t reader_list_count(const struct yaml_node *node);
const struct yaml_node *reader_list_at(const struct yaml_node *node, size_t i);
/* Whether it has at most CATALOG_LIST_MAX entries. */
bool reader_list_fits(struct reader *reader, const struct yaml_node *node, const char *what);

/* ---- yaml_pattern.c ---- */
void reader_pattern(struct reader *reader, const struct yaml_node *node);

#endif
