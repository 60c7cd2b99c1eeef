/* SPDX-License-Identifier: BSD-3-Clause */
/* CATALOG MIGRATE: legacy names left for those of the catalog. */
#include "commands/catalog_rows.h"
#include "catalog/matcher.h"
#include "server/aliases.h"
#include "server/arguments.h"
#include "server/catalogs.h"
#include "server/server.h"

static void reply_progress(struct reply *reply, const struct matcher *matcher, unsigned number,
                           const struct alias_progress *progress) {
    const char *state = !atomic_load(&progress->pending) ? "done"
                        : atomic_load(&progress->wanted) ? "moving"
                                                         : "pending";
    int64_t left = atomic_load(&progress->left);
    reply_map(reply, 6);
    reply_bulk_string(reply, "pattern");
    reply_bulk_string(reply, matcher_pattern(matcher, number)->name);
    reply_bulk_string(reply, "catalog");
    reply_bulk_string(reply, matcher_catalog(matcher, number)->name);
    reply_bulk_string(reply, "state");
    reply_bulk_string(reply, state);
    reply_bulk_string(reply, "left");
    if (left == ALIAS_LEFT_UNKNOWN)
        reply_null(reply);
    else
        reply_int(reply, left);
    reply_bulk_string(reply, "moved");
    reply_int(reply, atomic_load(&progress->moved));
    reply_bulk_string(reply, "conflicts");
    reply_int(reply, atomic_load(&progress->conflicts));
}

/* only: a pattern's number, or 0 for all. */
static void reply_all(struct request *request, const struct alias_table *table, unsigned only) {
    const struct matcher *matcher = table == NULL ? NULL : alias_table_matcher(table);
    size_t mark = reply_defer(request->reply), count = 0;
    for (unsigned i = 1; table != NULL && i <= matcher_pattern_count(matcher); i++) {
        const struct alias_progress *progress = alias_progress(table, i);
        if (progress == NULL || (only != 0 && i != only)) continue;
        reply_progress(request->reply, matcher, i, progress);
        count++;
    }
    reply_defer_array(request->reply, mark, count);
}

static void want(const struct alias_table *table, unsigned number) {
    struct alias_progress *progress = alias_progress(table, number);
    if (progress != NULL && atomic_load(&progress->pending)) atomic_store(&progress->wanted, true);
}

void catalog_cmd_migrate(struct request *request) {
    struct catalogs *catalogs = request->server->catalogs;
    const struct matcher *matcher = catalogs_hold(catalogs);
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    unsigned number = 0;
    if (request->argc > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
    } else if (matcher == NULL) {
        catalog_reply_none(request);
    } else if (request->argc == 3 && argument_is(request, 2, "status")) {
        reply_all(request, table, 0);
    } else if (request->argc == 2) {
        for (unsigned i = 1; table != NULL && i <= matcher_pattern_count(matcher); i++)
            want(table, i);
        reply_all(request, table, 0);
    } else if (catalog_find_pattern(request, matcher, argument(request, 2), &number)) {
        if (table == NULL || alias_progress(table, number) == NULL) {
            reply_error(request->reply, "ERR the pattern has no aliases");
        } else {
            want(table, number);
            reply_all(request, table, number);
        }
    }
    catalogs_let(catalogs);
}
