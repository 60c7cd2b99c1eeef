/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalogs that are loaded.
 *
 * What: reads catalogs from files, compiles them together, and puts them in force: all or nothing,
 *       without a pause. A file may be YAML or a Markdown document (by its name's ending).
 * Always: what is loaded here is what the store has in force. Catalogs have different
 *         names; loading one of a name that is there replaces it, and its patterns'
 *         statistics go on by their names.
 * Owner: the server. A catalog is freed when the store needs it no more.
 * Lock: its own for the list. Loading and unloading take every shard for a moment,
 *       so the caller holds none.
 * Errors: diagnostics, for people, and false.
 */
#ifndef KN_SERVER_CATALOGS_H
#define KN_SERVER_CATALOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "catalog/diagnostics.h"
#include "catalog/model.h"

struct catalogs;
struct server;

/* What keys are called that match no pattern. */
#define CATALOG_UNMATCHED "(unmatched)"

struct catalogs *catalogs_new(struct server *server);
/* After the store is freed: it gives back what it still had. */
void catalogs_free(struct catalogs *catalogs);

/* mode: of a catalog that states none; MODE_INHERITED leaves that to the directive catalog-mode.
 * ret_name: the catalog's, cut to `room` bytes. */
bool catalogs_load(struct catalogs *catalogs, struct bytes path, enum catalog_mode mode,
                   struct diagnostics *diagnostics, char *ret_name, size_t room);
/* False when there is none of that name. */
bool catalogs_unload(struct catalogs *catalogs, struct bytes name, struct diagnostics *diagnostics);

/* How many are loaded. No lock needed, and none taken. */
unsigned catalogs_count(const struct catalogs *catalogs);

struct catalog_listing {
    const struct catalog *catalog;
    const char *file;
    int64_t loaded_ms;
    size_t keys, channels; /* patterns */
};
/* In the order of loading; the catalogs stay while visit runs. */
void catalogs_each(struct catalogs *catalogs,
                   void (*visit)(void *context, const struct catalog_listing *listing),
                   void *context);

/* Keeps what is in force in force, and returns its matcher (NULL when nothing ever was), until
 * catalogs_let. No shard is held; shards may be taken in between. */
struct matcher;
const struct matcher *catalogs_hold(struct catalogs *catalogs);
void catalogs_let(struct catalogs *catalogs);

#endif
