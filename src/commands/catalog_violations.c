/* SPDX-License-Identifier: BSD-3-Clause */
/* CATALOG VIOLATIONS: what was done against the catalog. */
#include "server/violations.h"

#include "base/memory.h"
#include "commands/catalog_rows.h"
#include "server/arguments.h"
#include "server/catalogs.h"
#include "server/server.h"
#include "store/patterns.h"

enum { USUAL_COUNT = 10 };

static void reply_violation(struct reply *reply, const struct violation *violation) {
    reply_map(reply, 11);
    reply_bulk_string(reply, "id");
    reply_int(reply, (int64_t)violation->serial);
    reply_bulk_string(reply, "time-ms");
    reply_int(reply, violation->at_ms);
    reply_bulk_string(reply, "kind");
    reply_bulk_string(reply, violation_names[violation->kind]);
    reply_bulk_string(reply, "prevented");
    reply_bool(reply, violation->refused);
    reply_bulk_string(reply, "pattern");
    reply_bulk_string(reply, violation->pattern[0] ? violation->pattern : CATALOG_UNMATCHED);
    reply_bulk_string(reply, "catalog");
    reply_bulk_string(reply, violation->catalog);
    reply_bulk_string(reply, "key");
    reply_bulk(reply, bytes_make(violation->key, violation->key_len));
    reply_bulk_string(reply, "message");
    reply_bulk_string(reply, violation->text);
    reply_bulk_string(reply, "database");
    reply_int(reply, violation->db);
    reply_bulk_string(reply, "command");
    reply_bulk_string(reply, violation->command);
    reply_bulk_string(reply, "client");
    reply_int(reply, (int64_t)violation->client);
}

static void reply_last(struct request *request, const char *catalog, const char *pattern,
                       unsigned most) {
    struct violation *violations = mem_alloc(most * sizeof *violations);
    unsigned count =
        violations_last(request->server->violations, catalog, pattern, violations, most);
    reply_array(request->reply, count);
    for (unsigned i = 0; i < count; i++) reply_violation(request->reply, &violations[i]);
    mem_free(violations);
}

void catalog_cmd_violations(struct request *request) {
    struct catalogs *catalogs = request->server->catalogs;
    int64_t most = USUAL_COUNT;
    uint32_t end = request->argc;
    unsigned number;
    if (end == 3 && argument_is(request, 2, "clear")) {
        violations_clear(request->server->violations);
        reply_ok(request->reply);
        return;
    }
    if (end >= 4 && argument_is(request, end - 2, "count")) {
        if (!argument_i64_range(request, end - 1, 1, INT64_MAX, &most, NULL)) return;
        if (most > VIOLATIONS_KEPT) most = VIOLATIONS_KEPT;
        end -= 2;
    }
    if (end > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    const struct matcher *matcher = catalogs_hold(catalogs);
    if (matcher == NULL)
        catalog_reply_none(request);
    else if (end == 2)
        reply_last(request, NULL, NULL, (unsigned)most);
    else if (catalog_find_pattern(request, matcher, argument(request, 2), &number))
        reply_last(request, number ? matcher_catalog(matcher, number)->name : NULL,
                   number ? matcher_pattern(matcher, number)->name : "", (unsigned)most);
    catalogs_let(catalogs);
}
