/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which pattern a key belongs to.
 *
 * What: the templates of several catalogs, compiled into one structure that is only read. A
 *       variable matches one segment, a trailing one the rest of the key where nothing more literal
 *       matches; the more literal pattern wins, left to right. Databases decide only between
 *       patterns of the same shape.
 * Always: an answer takes one look at each segment per template part that could match it, whatever
 *         the key (no template node is visited twice), and allocates nothing.
 * Owner: whoever made it calls matcher_free, before the catalogs, which it points into.
 * Lock: none; any number of threads may ask at once.
 * Errors: patterns that can never be told apart are reported, and there is no matcher.
 */
#ifndef KN_CATALOG_MATCHER_H
#define KN_CATALOG_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "catalog/model.h"

enum { MATCHER_PATTERNS_MAX = 65535, MATCHER_DATABASE_ANY = -1 };

struct matcher;

/* NULL when there was an error. */
struct matcher *matcher_new(const struct catalog *const *catalogs, size_t count,
                            struct diagnostics *diagnostics);
void matcher_free(struct matcher *matcher);

/* Patterns have the numbers 1 to matcher_pattern_count, in the order of the catalogs. */
size_t matcher_pattern_count(const struct matcher *matcher);
const struct pattern *matcher_pattern(const struct matcher *matcher, unsigned id);
const struct catalog *matcher_catalog(const struct matcher *matcher, unsigned id);

/* The number of the pattern, 0 when there is none. database: MATCHER_DATABASE_ANY when it is not
 * known. A key in a database where its pattern does not want it is found all the same. */
unsigned matcher_find(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                      int database);

/* By which of a pattern's names a key goes. */
struct match_form {
    unsigned alias;     /* 0: the pattern's key; n: its alias number n - 1 */
    uint32_t expansion; /* of prefixes: template_expand; 0: the usual values */
};
/* The same as matcher_find; *ret_form is good when there is a pattern. */
unsigned matcher_find_form(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                           int database, struct match_form *ret_form);

struct match_variable {
    struct bytes name, value; /* the catalog's; the key's, or the catalog's for a prefix */
};

struct match {
    unsigned id;
    unsigned alias; /* 0: the pattern's key; n: its alias number n - 1 */
    size_t count;
    struct match_variable variables[TEMPLATE_VARIABLES_MAX]; /* in the template's order */
};

/* The same with the variables' values; false when nothing matches. */
bool matcher_match(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                   int database, struct match *ret_match);

/* Whether a key is of a pattern, by its number (0: of none), and its
 * variables have these values. */
bool matcher_is(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                int database, unsigned id, const struct match_variable *values, size_t count);

/* Whether a pattern's keys may be in a database. */
bool pattern_allows_database(const struct pattern *pattern, int database);

#endif
