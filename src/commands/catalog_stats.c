/* SPDX-License-Identifier: BSD-3-Clause */
/* CATALOG STATS and KEYS: what was counted for patterns, and which keys they have. */
#include "base/memory.h"
#include "base/number.h"
#include "commands/catalog_rows.h"
#include "commands/walk.h"
#include "server/arguments.h"
#include "server/catalogs.h"
#include "server/server.h"
#include "store/patterns.h"
#include "store/shard.h"

/* ---- STATS ---- */

enum { SHORT_FIELDS = 15, CENSUS_FIELDS = 4 };

static void reply_counts(struct reply *reply, const struct matcher *matcher, unsigned number,
                         const struct pattern_statistics *statistics) {
    static const char *const names[TALLY_COUNTS] = {
        [TALLY_HITS] = "hits",
        [TALLY_MISSES] = "misses",
        [TALLY_WRITES] = "writes",
        [TALLY_EXPIRED] = "expired",
        [TALLY_EVICTED] = "evicted",
        [TALLY_PURGED] = "purged",
        [TALLY_VIOLATIONS] = "violations",
    };
    const int64_t *counts = statistics->sums.counts;
    int64_t reads = counts[TALLY_HITS] + counts[TALLY_MISSES];
    reply_bulk_string(reply, "pattern");
    reply_bulk_string(reply, number ? matcher_pattern(matcher, number)->name : CATALOG_UNMATCHED);
    reply_bulk_string(reply, "catalog");
    reply_bulk_string(reply, number ? matcher_catalog(matcher, number)->name : "");
    reply_bulk_string(reply, "key");
    reply_bulk_string(reply, number ? matcher_pattern(matcher, number)->key.template.text : "");
    catalog_field_int(reply, "keys", statistics->sums.keys);
    catalog_field_int(reply, "bytes", statistics->sums.bytes);
    catalog_field_int(reply, "reads", reads);
    for (unsigned i = 0; i < TALLY_COUNTS; i++) catalog_field_int(reply, names[i], counts[i]);
    reply_bulk_string(reply, "hit-rate");
    reply_double(reply, reads ? (double)counts[TALLY_HITS] / (double)reads : 0);
    reply_bulk_string(reply, "operations-per-second");
    reply_double(reply, (double)(int64_t)(statistics->operations_s * 10 + 0.5) / 10);
}

/* Pairs of an upper bound, which belongs to the class, and how many keys are in it. */
static void reply_classes(struct reply *reply, const char *name, const uint64_t *classes) {
    unsigned count = 0;
    for (unsigned i = 0; i < CENSUS_CLASSES; i++) count += classes[i] != 0;
    reply_bulk_string(reply, name);
    reply_map(reply, count);
    for (unsigned i = 0; i < CENSUS_CLASSES; i++) {
        if (classes[i] == 0) continue;
        if (i == CENSUS_CLASSES - 1)
            reply_bulk_string(reply, "more");
        else
            reply_bulk_format(reply, "%llu", (1ull << i) - 1);
        reply_int(reply, (int64_t)classes[i]);
    }
}

static void reply_census(struct reply *reply, const struct pattern_census *census) {
    catalog_field_int(reply, "keys-with-lifetime", (int64_t)census->expiring);
    reply_classes(reply, "elements", census->elements);
    reply_classes(reply, "bytes-each", census->bytes);
    reply_classes(reply, "idle-seconds", census->idle_s);
}

void catalog_cmd_stats(struct request *request) {
    struct catalogs *catalogs = request->server->catalogs;
    const struct matcher *matcher = catalogs_hold(catalogs);
    struct reply *reply = request->reply;
    unsigned number;
    if (request->argc > 3) {
        reply_error_code(reply, ERROR_SYNTAX);
    } else if (matcher == NULL) {
        catalog_reply_none(request);
    } else if (request->argc == 2 ||
               catalog_find_pattern(request, matcher, argument(request, 2), &number)) {
        size_t count = matcher_pattern_count(matcher), keys = 1;
        struct pattern_statistics *all = mem_alloc((count + 1) * sizeof *all);
        store_pattern_statistics(request->store, all);
        if (request->argc == 3) {
            struct pattern_census census;
            bool seen = store_pattern_census(request->store, number, &census);
            reply_map(reply, SHORT_FIELDS + (seen ? CENSUS_FIELDS : 0));
            reply_counts(reply, matcher, number, &all[number]);
            if (seen) reply_census(reply, &census);
        } else {
            for (unsigned i = 1; i <= count; i++)
                keys += matcher_pattern(matcher, i)->kind == PATTERN_KEY;
            reply_array(reply, keys);
            for (unsigned i = 0; i <= count; i++) {
                if (i > 0 && matcher_pattern(matcher, i)->kind != PATTERN_KEY) continue;
                reply_map(reply, SHORT_FIELDS);
                reply_counts(reply, matcher, i, &all[i]);
            }
        }
        mem_free(all);
    }
    catalogs_let(catalogs);
}

/* ---- KEYS ---- */

struct keys_job {
    struct request *request;
    const struct matcher *matcher;
    unsigned number;
    const struct match_variable *variables;
    uint32_t variable_count;
    struct walk walk;
    size_t looked, most, found;
};

static void keys_entry(void *element, void *context) {
    const struct entry *entry = element;
    struct keys_job *job = context;
    struct request *request = job->request;
    struct bytes name = entry_key(entry);
    job->looked++;
    if (!store_is_there(request->store, request->db, entry, request->now_ms)) return;
    if (!matcher_is(job->matcher, PATTERN_KEY, name, (int)request->db, job->number, job->variables,
                    job->variable_count))
        return;
    if (!walk_wants(&job->walk, request, name)) return;
    reply_bulk(request->reply, request_shown_name(request, name));
    job->found++;
}

static void keys_shard(struct request *request, struct shard *shard, void *context) {
    struct keys_job *job = context;
    const struct table *table = &shard->dbs[request->db].table;
    do job->walk.position = table_scan(table, job->walk.position, keys_entry, job);
    while (job->walk.position != 0 && (job->looked < job->most || !walk_can_rest(&job->walk)));
}

/* A cursor as SCAN's (walk.h). */
static void reply_keys(struct keys_job *job, uint64_t cursor) {
    struct request *request = job->request;
    bool more = true;
    job->walk = walk_from(request, cursor);
    size_t start = request->reply->out->len;
    while (more && job->looked < job->most) {
        request_visit_shard(request, job->walk.shard, keys_shard, job);
        job->looked++;
        more = walk_on(&job->walk, request);
    }
    walk_reply(request, start, &job->walk, more, job->found);
}

/* Options stand at the end, so that a variable may be called "count". */
static bool parse_options(struct request *request, uint32_t *ret_end, uint64_t *ret_cursor,
                          size_t *ret_most) {
    uint32_t end = request->argc;
    int64_t number;
    while (end >= 5) {
        if (argument_is(request, end - 2, "cursor")) {
            struct bytes text = argument(request, end - 1);
            if (!number_parse_u64(text, ret_cursor)) {
                reply_error(request->reply, "ERR invalid cursor");
                return false;
            }
        } else if (argument_is(request, end - 2, "count")) {
            if (!argument_i64_range(request, end - 1, 1, INT64_MAX, &number, NULL)) return false;
            *ret_most = (size_t)number;
        } else {
            break;
        }
        end -= 2;
    }
    *ret_end = end;
    return true;
}

void catalog_cmd_keys(struct request *request) {
    enum { USUAL_COUNT = 100 };
    struct catalogs *catalogs = request->server->catalogs;
    struct keys_job job = {.request = request, .most = USUAL_COUNT};
    struct match_variable *variables = NULL;
    uint64_t cursor = 0;
    uint32_t end;
    if (!parse_options(request, &end, &cursor, &job.most)) return;
    job.matcher = catalogs_hold(catalogs);
    if (job.matcher == NULL) {
        catalog_reply_none(request);
    } else if (catalog_find_pattern(request, job.matcher, argument(request, 2), &job.number)) {
        if (job.number == 0 && end > 3) {
            reply_error(request->reply, "ERR keys that match no pattern have no variables");
        } else if (job.number == 0 ||
                   catalog_parse_variables(request, matcher_pattern(job.matcher, job.number), 3,
                                           end, &variables, &job.variable_count)) {
            job.variables = variables;
            reply_keys(&job, cursor);
        }
    }
    catalogs_let(catalogs);
}
