/* SPDX-License-Identifier: BSD-3-Clause */
/* CATALOG: catalogs loaded, listed, purged by. What looks into patterns is in
 * catalog_describe.c and catalog_stats.c. */
#include "base/arena.h"
#include "commands/catalog_rows.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/catalogs.h"
#include "server/help.h"
#include "server/server.h"
#include "store/patterns.h"

/* ---- what the subcommands share ---- */

void catalog_reply_none(struct request *request) {
    reply_error(request->reply, "ERR no catalog is loaded: see CATALOG LOAD");
}

static bool is_named(const struct matcher *matcher, unsigned number, struct bytes name) {
    const struct pattern *pattern = matcher_pattern(matcher, number);
    struct bytes catalog = bytes_from_string(matcher_catalog(matcher, number)->name),
                 own = bytes_from_string(pattern->name);
    if (bytes_equal(name, own) || bytes_equal(name, bytes_from_string(pattern->key.template.text)))
        return true;
    return name.len == catalog.len + 1 + own.len && name.data[catalog.len] == '/' &&
           bytes_equal(bytes_make(name.data, catalog.len), catalog) &&
           bytes_equal(bytes_make(name.data + catalog.len + 1, own.len), own);
}

bool catalog_find_pattern(struct request *request, const struct matcher *matcher, struct bytes name,
                          unsigned *ret_number) {
    enum { SHOWN_MAX = 128 };
    unsigned found = 0, others = 0;
    if (bytes_equal(name, BYTES(CATALOG_UNMATCHED))) {
        *ret_number = 0;
        return true;
    }
    for (unsigned i = 1; i <= matcher_pattern_count(matcher); i++) {
        if (matcher_pattern(matcher, i)->kind != PATTERN_KEY || !is_named(matcher, i, name))
            continue;
        if (found == 0)
            found = i;
        else
            others++;
    }
    int shown = (int)(name.len < SHOWN_MAX ? name.len : SHOWN_MAX);
    if (found == 0) {
        reply_error_format(request->reply,
                           "ERR no pattern of keys is called '%.*s': CATALOG DESCRIBE lists them",
                           shown, name.data);
        return false;
    }
    if (others > 0) {
        reply_error_format(request->reply,
                           "ERR %u patterns are called '%.*s': say which, as in %s/%s", others + 1,
                           shown, name.data, matcher_catalog(matcher, found)->name,
                           matcher_pattern(matcher, found)->name);
        return false;
    }
    *ret_number = found;
    return true;
}

bool catalog_parse_variables(struct request *request, const struct pattern *pattern, uint32_t index,
                             uint32_t end, struct match_variable **ret_variables,
                             uint32_t *ret_count) {
    enum { SHOWN_MAX = 128 };
    if ((end - index) % 2 != 0) {
        reply_error(request->reply, "ERR variables come in pairs: a name and a value");
        return false;
    }
    uint32_t count = (end - index) / 2;
    if (count > TEMPLATE_VARIABLES_MAX) {
        reply_error_format(request->reply, "ERR a pattern has at most %d variables",
                           TEMPLATE_VARIABLES_MAX);
        return false;
    }
    struct match_variable *variables = arena_alloc(request->arena, (count + 1) * sizeof *variables);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name = argument(request, index + 2 * i);
        const struct template *template = &pattern->key.template;
        if (template_find_variable(template, name) == template->part_count) {
            reply_error_format(request->reply, "ERR '%s' has no variable '%.*s'", template->text,
                               (int)(name.len < SHOWN_MAX ? name.len : SHOWN_MAX), name.data);
            return false;
        }
        variables[i] = (struct match_variable){name, argument(request, index + 2 * i + 1)};
    }
    *ret_variables = variables;
    *ret_count = count;
    return true;
}

/* ---- LOAD, UNLOAD, LIST ---- */

static void reply_first_error(struct request *request, const struct diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        const struct diagnostic *diagnostic = diagnostics_at(diagnostics, i);
        if (diagnostic->severity != SEVERITY_ERROR) continue;
        struct buffer line;
        buffer_init(&line, DIAGNOSTIC_TEXT_MAX * 4);
        diagnostic_print(diagnostic, &line);
        size_t more = diagnostics_of(diagnostics, SEVERITY_ERROR) - 1;
        if (more)
            reply_error_format(request->reply, "ERR catalog not loaded: %.*s (and %zu more)",
                               (int)line.len, line.data, more);
        else
            reply_error_format(request->reply, "ERR catalog not loaded: %.*s", (int)line.len,
                               line.data);
        buffer_done(&line);
        return;
    }
    reply_error(request->reply, "ERR catalog not loaded");
}

static void reply_findings(struct request *request, const struct diagnostics *diagnostics) {
    struct buffer line;
    buffer_init(&line, DIAGNOSTIC_TEXT_MAX * 4);
    reply_array(request->reply, diagnostics_count(diagnostics));
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        line.len = 0;
        diagnostic_print(diagnostics_at(diagnostics, i), &line);
        reply_bulk(request->reply, bytes_make(line.data, line.len));
    }
    buffer_done(&line);
}

/* [MODE off | observe | enforce] */
static bool parse_mode(struct request *request, enum catalog_mode *ret_mode) {
    *ret_mode = MODE_INHERITED;
    if (request->argc == 3) return true;
    if (request->argc == 5 && argument_is(request, 3, "mode"))
        for (int mode = MODE_OFF; mode < MODES && *ret_mode == MODE_INHERITED; mode++)
            if (argument_is(request, 4, mode_names[mode])) *ret_mode = (enum catalog_mode)mode;
    if (*ret_mode == MODE_INHERITED)
        reply_error(request->reply, "ERR syntax error: CATALOG LOAD file [MODE off | observe | "
                                    "enforce]");
    return *ret_mode != MODE_INHERITED;
}

static void cmd_load(struct request *request) {
    enum { NAME_MAX_LEN = 256 };
    char name[NAME_MAX_LEN];
    struct bytes path = argument(request, 2);
    enum catalog_mode mode;
    if (path.len == 0 || memchr(path.data, '\0', path.len) != NULL) {
        reply_error(request->reply, "ERR the file's name is empty, or holds a zero byte");
        return;
    }
    if (!parse_mode(request, &mode)) return;
    struct diagnostics *diagnostics = diagnostics_new();
    if (catalogs_load(request->server->catalogs, path, mode, diagnostics, name, sizeof name)) {
        reply_map(request->reply, 2);
        reply_bulk_string(request->reply, "catalog");
        reply_bulk_string(request->reply, name);
        reply_bulk_string(request->reply, "findings");
        reply_findings(request, diagnostics);
    } else {
        reply_first_error(request, diagnostics);
    }
    diagnostics_free(diagnostics);
}

static void cmd_unload(struct request *request) {
    struct diagnostics *diagnostics = diagnostics_new();
    struct bytes name = argument(request, 2);
    if (catalogs_unload(request->server->catalogs, name, diagnostics))
        reply_ok(request->reply);
    else if (diagnostics_count(diagnostics))
        reply_first_error(request, diagnostics);
    else
        reply_error_format(request->reply,
                           "ERR no catalog is called '%.*s': CATALOG LIST lists them",
                           (int)(name.len < 128 ? name.len : 128), name.data);
    diagnostics_free(diagnostics);
}

struct list_job {
    const struct store *store;
    struct reply *reply;
    size_t count;
};

static void list_one(void *context, const struct catalog_listing *listing) {
    struct list_job *job = context;
    struct reply *reply = job->reply;
    const struct catalog *catalog = listing->catalog;
    reply_map(reply, 8);
    reply_bulk_string(reply, "name");
    reply_bulk_string(reply, catalog->name);
    reply_bulk_string(reply, "file");
    reply_bulk_string(reply, listing->file);
    reply_bulk_string(reply, "purpose");
    reply_bulk_string(reply, catalog->purpose ? catalog->purpose : "");
    reply_bulk_string(reply, "mode");
    reply_bulk_string(reply, mode_names[store_mode_of_catalog(job->store, catalog)]);
    reply_bulk_string(reply, "unmatched");
    reply_bulk_string(reply, unmatched_names[catalog->unmatched]);
    reply_bulk_string(reply, "patterns");
    reply_int(reply, (int64_t)listing->keys);
    reply_bulk_string(reply, "channels");
    reply_int(reply, (int64_t)listing->channels);
    reply_bulk_string(reply, "loaded");
    reply_int(reply, listing->loaded_ms / 1000);
    job->count++;
}

static void cmd_list(struct request *request) {
    struct list_job job = {.store = request->store, .reply = request->reply};
    size_t mark = reply_defer(request->reply);
    catalogs_each(request->server->catalogs, list_one, &job);
    reply_defer_array(request->reply, mark, job.count);
}

/* ---- PURGE ---- */

/* Every shard is held, so what is in force stays in force. */
static void cmd_purge(struct request *request) {
    const struct matcher *matcher = store_matcher(request->store);
    struct match_variable *variables = NULL;
    uint32_t count = 0;
    unsigned number;
    if (matcher == NULL) {
        catalog_reply_none(request);
        return;
    }
    if (!catalog_find_pattern(request, matcher, argument(request, 2), &number)) return;
    if (number == 0 && request->argc > 3) {
        reply_error(request->reply, "ERR keys that match no pattern have no variables");
        return;
    }
    if (request->argc > 3 && !catalog_parse_variables(request, matcher_pattern(matcher, number), 3,
                                                      request->argc, &variables, &count))
        return;
    int64_t purged = store_purge(request->store, number, variables, count);
    if (purged == PURGE_NO_ID) {
        reply_error(request->reply, "TRYAGAIN many earlier loads and purges are still being "
                                    "worked off; try again in a moment");
        return;
    }
    request->changes++;
    if (purged == PURGE_UNCOUNTED)
        reply_null(request->reply);
    else
        reply_int(request->reply, purged);
}

static void cmd_help(struct request *request) {
    static const char *const lines[] = {
        "CATALOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "LOAD <file> [MODE <OFF|OBSERVE|ENFORCE>]",
        "    Load a catalog (.yaml, .yml) or a document (.md), or load it again. The mode is",
        "    for one that states none; without it, catalog-mode is.",
        "UNLOAD <catalog>",
        "    Forget a catalog. Its keys stay.",
        "LIST",
        "    List the catalogs that are loaded.",
        "DESCRIBE [<pattern>]",
        "    Return what a pattern asks of its keys, or a line for each pattern.",
        "MATCH <key> [DB <index>]",
        "    Return the pattern that a key matches, and its variables.",
        "STATS [<pattern>]",
        "    Return what was counted for each pattern, or all that is known of one.",
        "KEYS <pattern> [<variable> <value> ...] [CURSOR <cursor>] [COUNT <count>]",
        "    Return keys of a pattern, and a cursor to go on with; 0 at the end.",
        "VIOLATIONS [<pattern>] [COUNT <count>]",
        "    Return what was done against the catalog, the newest first.",
        "VIOLATIONS CLEAR",
        "    Forget it. The counts in STATS stay.",
        "PURGE <pattern> [<variable> <value> ...]",
        "    Take the keys of a pattern out of the keyspace, at once.",
        "MIGRATE [<pattern>]",
        "    Move keys from their legacy names to the pattern's own, in the background.",
        "MIGRATE STATUS",
        "    Return how far that has come.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

enum { LOOKS = COMMAND_READONLY | COMMAND_NO_MULTI | COMMAND_NO_SCRIPT | COMMAND_LOADING };
enum { CHANGES = COMMAND_ADMIN | COMMAND_NO_MULTI | COMMAND_NO_SCRIPT };

static const struct command catalog_rows[] = {
    {.name = "load",
     .arity = -3,
     .flags = CHANGES,
     .groups = GROUP_CATALOG | GROUP_DANGEROUS,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of patterns; keys are matched in the background",
     .summary = "Loads a catalog from a file, all or nothing.",
     .syntax = "file [MODE <OFF | OBSERVE | ENFORCE>]",
     .reply = "map: the catalog's name, and what was noticed",
     .handler = cmd_load},
    {.name = "unload",
     .arity = 3,
     .flags = CHANGES,
     .groups = GROUP_CATALOG | GROUP_DANGEROUS,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of patterns that stay",
     .summary = "Forgets a catalog; its keys stay.",
     .syntax = "catalog",
     .reply = "status",
     .handler = cmd_unload},
    {.name = "list",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of catalogs",
     .summary = "Lists the catalogs that are loaded.",
     .syntax = "",
     .reply = "array of maps",
     .handler = cmd_list},
    {.name = "describe",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of patterns",
     .summary = "Returns what a pattern asks of its keys, or a line for each pattern.",
     .syntax = "[pattern]",
     .reply = "map | array of maps",
     .handler = catalog_cmd_describe},
    {.name = "match",
     .arity = -3,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the length of the key",
     .summary = "Returns the pattern that a key matches, and the values of its variables.",
     .syntax = "key [DB index]",
     .reply = "map | null",
     .handler = catalog_cmd_match},
    {.name = "stats",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of patterns",
     .summary = "Returns what was counted for each pattern, or all that is known of one.",
     .syntax = "[pattern]",
     .reply = "map | array of maps",
     .handler = catalog_cmd_stats},
    {.name = "keys",
     .arity = -3,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(1) for each call, O(N) for a whole walk over N keys",
     .summary = "Returns keys of a pattern, with a cursor.",
     .syntax = "pattern [variable value ...] [CURSOR cursor] [COUNT count]",
     .reply = "array: cursor, array of keys",
     .handler = catalog_cmd_keys},
    {.name = "violations",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of violations that are kept",
     .summary = "Returns what was done against the catalog, the newest first.",
     .syntax = "[pattern | CLEAR] [COUNT count]",
     .reply = "array of maps | status",
     .handler = catalog_cmd_violations},
    {.name = "purge",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_ALL_SHARDS,
     .groups = GROUP_CATALOG | GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "keynome 0.1",
     .complexity = "O(1); memory comes back in the background",
     .summary = "Takes the keys of a pattern out of the keyspace, at once.",
     .syntax = "pattern [variable value ...]",
     .reply = "integer, the number of keys | null, when it is not known yet",
     .handler = cmd_purge},
    {.name = "migrate",
     .arity = -2,
     .flags = CHANGES,
     .groups = GROUP_CATALOG | GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "keynome 0.1",
     .complexity = "O(N) where N is the number of patterns; keys are moved in the background",
     .summary = "Moves keys from their legacy names to those of the catalog, in the background.",
     .syntax = "[pattern | STATUS]",
     .reply = "array of maps, one for each pattern with aliases",
     .handler = catalog_cmd_migrate},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_help},
    {.name = NULL},
};

static const struct command rows[] = {
    {.name = "catalog",
     .arity = -2,
     .groups = GROUP_CATALOG,
     .since = "keynome 0.1",
     .complexity = "Depends on subcommand.",
     .summary = "A container for commands about the catalog.",
     .syntax = "",
     .reply = "",
     .subcommands = catalog_rows},
    {.name = NULL},
};

const struct command_family catalog_commands = {"catalog", rows};
