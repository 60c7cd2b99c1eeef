/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was counted for the catalogs in force, copied at one moment: for INFO and for metrics.
 *
 * What: names and numbers of every pattern for keys, of the keys that match none, and sums.
 * Always: names and numbers are of the same catalogs. There are no more patterns than the catalogs
 *         have, whatever the keys; the first one stands for keys that match none, with the name
 *         CATALOG_UNMATCHED and no catalog.
 * Owner: whoever took the copy gives it back by catalog_figures_done. It does not
 *        point into the catalogs.
 * Lock: takes shard 0 for the time of copying, unless it is held. So with one
 *       worker, on its thread only.
 * Errors: none.
 */
#ifndef KN_SERVER_CATALOG_FIGURES_H
#define KN_SERVER_CATALOG_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/patterns.h"

struct server;

struct pattern_figures {
    const char *catalog, *name;
    bool has_namesake;                    /* another catalog has a pattern of this name */
    struct pattern_statistics statistics; /* keys and bytes not below zero */
};

struct catalog_figures {
    unsigned catalogs;
    size_t channels;
    struct store_settling settling;
    int64_t violations; /* of all patterns */
    size_t count;       /* of patterns; 0 when no catalog was ever in force, else 1 at least */
    struct pattern_figures *patterns;
    char *text; /* the names */
};

enum figures_access {
    FIGURES_HELD, /* every shard is held */
    FIGURES_WAIT,
    FIGURES_IF_FREE, /* rather not, where one would have to wait */
};
/* Returns false, with nothing to be given back, when the shard could not be taken. */
bool catalog_figures_take(struct server *server, enum figures_access access,
                          struct catalog_figures *ret_figures);
void catalog_figures_done(struct catalog_figures *figures);

#endif
