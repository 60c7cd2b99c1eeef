/* SPDX-License-Identifier: BSD-3-Clause */
/* CATALOG DESCRIBE and MATCH: what patterns ask, and which one a key belongs to. */
#include "commands/catalog_rows.h"
#include "server/arguments.h"
#include "server/catalogs.h"
#include "server/server.h"
#include "store/patterns.h"

static void field(struct reply *reply, const char *name, const char *text) {
    reply_bulk_string(reply, name);
    if (text == NULL)
        reply_null(reply);
    else
        reply_bulk_string(reply, text);
}

static void reply_lifetime(struct reply *reply, const struct lifetime *lifetime) {
    static const char *const kinds[] = {"unstated", "none", "limited"};
    reply_bulk_string(reply, "lifetime");
    reply_map(reply, 7);
    field(reply, "kind", kinds[lifetime->kind]);
    reply_bulk_string(reply, "required");
    reply_bool(reply, lifetime->required);
    catalog_field_int(reply, "default-ms", lifetime->default_ms);
    catalog_field_int(reply, "maximum-ms", lifetime->maximum_ms);
    field(reply, "after", lifetime->after);
    field(reply, "renewed", lifetime->renewed);
    field(reply, "note", lifetime->note);
}

static void reply_lists(struct reply *reply, const struct pattern *pattern) {
    reply_bulk_string(reply, "aliases");
    reply_array(reply, pattern->alias_count);
    for (size_t i = 0; i < pattern->alias_count; i++)
        reply_bulk_string(reply, pattern->aliases[i].template.text);
    reply_bulk_string(reply, "databases");
    reply_array(reply, pattern->database_count);
    for (size_t i = 0; i < pattern->database_count; i++) reply_int(reply, pattern->databases[i]);
    reply_bulk_string(reply, "fields");
    reply_map(reply, pattern->field_count);
    for (size_t i = 0; i < pattern->field_count; i++)
        field(reply, pattern->fields[i].name, format_names[pattern->fields[i].format]);
    reply_bulk_string(reply, "examples");
    reply_array(reply, pattern->example_count);
    for (size_t i = 0; i < pattern->example_count; i++)
        reply_bulk_string(reply, pattern->examples[i].text);
    reply_bulk_string(reply, "guessed");
    reply_set(reply, (size_t)__builtin_popcount(pattern->guessed));
    for (unsigned i = 0; i < GUESSES; i++)
        if (pattern->guessed >> i & 1) reply_bulk_string(reply, guess_names[i]);
}

static void reply_pattern(const struct request *request, const struct catalog *catalog,
                          const struct pattern *pattern) {
    struct reply *reply = request->reply;
    reply_map(reply, 23);
    field(reply, "pattern", pattern->name);
    field(reply, "catalog", catalog->name);
    field(reply, "kind", pattern->kind == PATTERN_KEY ? "key" : "channel");
    field(reply, "key", pattern->key.template.text);
    field(reply, "type", pattern_type_names[pattern->type]);
    reply_lifetime(reply, &pattern->lifetime);
    field(reply, "eviction", eviction_names[pattern->eviction]);
    field(reply, "mode", mode_names[store_mode_of_pattern(request->store, catalog, pattern)]);
    catalog_field_int(reply, "key-bytes-max", (int64_t)pattern->key_bytes_max);
    catalog_field_int(reply, "value-bytes-max", (int64_t)pattern->value_bytes_max);
    catalog_field_int(reply, "elements-max", (int64_t)pattern->elements_max);
    field(reply, "value", format_names[pattern->value]);
    reply_bulk_string(reply, "fields-closed");
    reply_bool(reply, pattern->fields_closed);
    field(reply, "tenant", pattern->tenant);
    field(reply, "owner", pattern->owner ? pattern->owner : catalog->owner);
    field(reply, "purpose", pattern->purpose);
    field(reply, "file", pattern->place.file);
    catalog_field_int(reply, "line", pattern->place.line);
    reply_lists(reply, pattern);
}

static void reply_line(const struct request *request, const struct catalog *catalog,
                       const struct pattern *pattern) {
    struct reply *reply = request->reply;
    reply_map(reply, 6);
    field(reply, "pattern", pattern->name);
    field(reply, "catalog", catalog->name);
    field(reply, "kind", pattern->kind == PATTERN_KEY ? "key" : "channel");
    field(reply, "key", pattern->key.template.text);
    field(reply, "type", pattern_type_names[pattern->type]);
    field(reply, "mode", mode_names[store_mode_of_pattern(request->store, catalog, pattern)]);
}

void catalog_cmd_describe(struct request *request) {
    struct catalogs *catalogs = request->server->catalogs;
    const struct matcher *matcher = catalogs_hold(catalogs);
    unsigned number;
    if (request->argc > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
    } else if (matcher == NULL) {
        catalog_reply_none(request);
    } else if (request->argc == 2) {
        size_t count = matcher_pattern_count(matcher);
        reply_array(request->reply, count);
        for (unsigned i = 1; i <= count; i++)
            reply_line(request, matcher_catalog(matcher, i), matcher_pattern(matcher, i));
    } else if (catalog_find_pattern(request, matcher, argument(request, 2), &number)) {
        if (number == 0)
            reply_null(request->reply);
        else
            reply_pattern(request, matcher_catalog(matcher, number),
                          matcher_pattern(matcher, number));
    }
    catalogs_let(catalogs);
}

void catalog_cmd_match(struct request *request) {
    struct catalogs *catalogs = request->server->catalogs;
    unsigned db = request->db;
    struct match match;
    if (request->argc != 3 && (request->argc != 5 || !argument_is(request, 3, "db"))) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (request->argc == 5 && !argument_db(request, 4, NULL, &db)) return;
    const struct matcher *matcher = catalogs_hold(catalogs);
    struct reply *reply = request->reply;
    if (matcher == NULL) {
        catalog_reply_none(request);
    } else if (!matcher_match(matcher, PATTERN_KEY, argument(request, 2), (int)db, &match)) {
        reply_null(reply);
    } else {
        const struct pattern *pattern = matcher_pattern(matcher, match.id);
        reply_map(reply, 4);
        field(reply, "pattern", pattern->name);
        field(reply, "catalog", matcher_catalog(matcher, match.id)->name);
        field(reply, "key",
              match.alias ? pattern->aliases[match.alias - 1].template.text
                          : pattern->key.template.text);
        reply_bulk_string(reply, "variables");
        reply_map(reply, match.count);
        for (size_t i = 0; i < match.count; i++) {
            reply_bulk(reply, match.variables[i].name);
            reply_bulk(reply, match.variables[i].value);
        }
    }
    catalogs_let(catalogs);
}
