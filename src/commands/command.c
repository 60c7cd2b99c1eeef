/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMAND: the command table as clients ask for it. Rows without a handler are not
 * built yet and are not shown. */
#include "base/arena.h"
#include "base/glob.h"
#include "commands/command_docs.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/help.h"
#include "server/server.h"

struct word {
    unsigned bit;
    const char *text;
};

static const struct word flag_words[] = {
    {COMMAND_WRITE, "write"},
    {COMMAND_READONLY, "readonly"},
    {COMMAND_DENY_OOM, "denyoom"},
    {COMMAND_ADMIN, "admin"},
    {COMMAND_PUBSUB, "pubsub"},
    {COMMAND_NO_SCRIPT, "noscript"},
    {COMMAND_BLOCKING, "blocking"},
    {COMMAND_LOADING, "loading"},
    {COMMAND_STALE, "stale"},
    {COMMAND_SKIP_MONITOR, "skip_monitor"},
    {COMMAND_SKIP_SLOWLOG, "skip_slowlog"},
    {COMMAND_ASKING, "asking"},
    {COMMAND_FAST, "fast"},
    {COMMAND_NO_AUTH, "no_auth"},
    {COMMAND_NO_MANDATORY_KEYS, "no_mandatory_keys"},
    {COMMAND_NO_ASYNC_LOADING, "no_async_loading"},
    {COMMAND_NO_MULTI, "no_multi"},
    {COMMAND_ALLOW_BUSY, "allow_busy"},
};

static const struct word key_words[] = {
    {KEY_RO, "RO"},
    {KEY_RW, "RW"},
    {KEY_OW, "OW"},
    {KEY_RM, "RM"},
    {KEY_ACCESS, "access"},
    {KEY_UPDATE, "update"},
    {KEY_INSERT, "insert"},
    {KEY_DELETE, "delete"},
    {KEY_NOT_KEY, "not_key"},
    {KEY_INCOMPLETE, "incomplete"},
    {KEY_VARIABLE_FLAGS, "variable_flags"},
};

/* ACL categories, in the order in which Redis lists them. */
enum category {
    CATEGORY_READ = 1 << 20,
    CATEGORY_WRITE = 1 << 21,
    CATEGORY_FAST = 1 << 22,
    CATEGORY_SLOW = 1 << 23,
    CATEGORY_BLOCKING = 1 << 24,
};

static const struct word category_words[] = {
    {GROUP_KEYSPACE, "@keyspace"},
    {CATEGORY_READ, "@read"},
    {CATEGORY_WRITE, "@write"},
    {GROUP_SET, "@set"},
    {GROUP_SORTED_SET, "@sortedset"},
    {GROUP_LIST, "@list"},
    {GROUP_HASH, "@hash"},
    {GROUP_STRING, "@string"},
    {GROUP_BITMAP, "@bitmap"},
    {GROUP_HYPERLOGLOG, "@hyperloglog"},
    {GROUP_GEO, "@geo"},
    {GROUP_STREAM, "@stream"},
    {GROUP_PUBSUB, "@pubsub"},
    {GROUP_ADMIN, "@admin"},
    {CATEGORY_FAST, "@fast"},
    {CATEGORY_SLOW, "@slow"},
    {CATEGORY_BLOCKING, "@blocking"},
    {GROUP_DANGEROUS, "@dangerous"},
    {GROUP_CONNECTION, "@connection"},
    {GROUP_TRANSACTION, "@transaction"},
    {GROUP_SCRIPTING, "@scripting"},
    {GROUP_CATALOG, "@catalog"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static unsigned command_categories(const struct command *row) {
    unsigned categories = row->groups;
    if (row->flags & COMMAND_WRITE) categories |= CATEGORY_WRITE;
    if (row->flags & COMMAND_READONLY && !(row->groups & GROUP_SCRIPTING))
        categories |= CATEGORY_READ;
    if (row->flags & COMMAND_ADMIN) categories |= GROUP_ADMIN | GROUP_DANGEROUS;
    if (row->flags & COMMAND_PUBSUB) categories |= GROUP_PUBSUB;
    if (row->flags & COMMAND_BLOCKING) categories |= CATEGORY_BLOCKING;
    return categories | (row->flags & COMMAND_FAST ? CATEGORY_FAST : CATEGORY_SLOW);
}

static size_t reply_words(struct reply *reply, const struct word *words, size_t count,
                          unsigned bits) {
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(bits & words[i].bit)) continue;
        reply_status(reply, words[i].text);
        written++;
    }
    return written;
}

bool command_is_built(const struct command *row) {
    return row->handler != NULL || row->subcommands != NULL;
}

/* ---- INFO ---- */

static void reply_flags(struct reply *reply, const struct command *row) {
    size_t mark = reply_defer(reply);
    size_t count = reply_words(reply, flag_words, COUNT_OF(flag_words), row->flags);
    if (command_has_movable_keys(row)) {
        reply_status(reply, "movablekeys");
        count++;
    }
    reply_defer_set(reply, mark, count);
}

static void reply_pair(struct reply *reply, const char *name, int64_t value) {
    reply_bulk_string(reply, name);
    reply_int(reply, value);
}

static void reply_key_begin(struct reply *reply, const struct key_spec *spec) {
    reply_bulk_string(reply, "begin_search");
    reply_map(reply, 2);
    reply_bulk_string(reply, "type");
    reply_bulk_string(reply, spec->find == KEYS_UNKNOWN ? "unknown"
                             : spec->keyword            ? "keyword"
                                                        : "index");
    reply_bulk_string(reply, "spec");
    if (spec->find == KEYS_UNKNOWN) {
        reply_map(reply, 0);
    } else if (spec->keyword != NULL) {
        reply_map(reply, 2);
        reply_bulk_string(reply, "keyword");
        reply_bulk_string(reply, spec->keyword);
        reply_pair(reply, "startfrom", spec->begin);
    } else {
        reply_map(reply, 1);
        reply_pair(reply, "index", spec->begin);
    }
}

static void reply_key_find(struct reply *reply, const struct key_spec *spec) {
    reply_bulk_string(reply, "find_keys");
    reply_map(reply, 2);
    reply_bulk_string(reply, "type");
    reply_bulk_string(reply, spec->find == KEYS_RANGE     ? "range"
                             : spec->find == KEYS_COUNTED ? "keynum"
                                                          : "unknown");
    reply_bulk_string(reply, "spec");
    if (spec->find == KEYS_UNKNOWN) {
        reply_map(reply, 0);
        return;
    }
    reply_map(reply, 3);
    if (spec->find == KEYS_RANGE) {
        reply_pair(reply, "lastkey", spec->last);
        reply_pair(reply, "keystep", spec->step);
        reply_pair(reply, "limit", spec->limit);
    } else {
        reply_pair(reply, "keynumidx", 0);
        reply_pair(reply, "firstkey", spec->last);
        reply_pair(reply, "keystep", spec->step);
    }
}

static void reply_key_specs(struct reply *reply, const struct command *row) {
    size_t count = 0;
    while (count < COMMAND_KEY_SPECS && row->keys[count].find != KEYS_NONE) count++;
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        const struct key_spec *spec = &row->keys[i];
        reply_map(reply, 3);
        reply_bulk_string(reply, "flags");
        size_t mark = reply_defer(reply);
        reply_defer_set(reply, mark,
                        reply_words(reply, key_words, COUNT_OF(key_words), spec->flags));
        reply_key_begin(reply, spec);
        reply_key_find(reply, spec);
    }
}

static void reply_command(struct request *request, const struct command *row, struct bytes name) {
    struct reply *reply = request->reply;
    char full[COMMAND_NAME_MAX];
    int first, last, step;
    command_key_range(row, &first, &last, &step);
    reply_array(reply, 10);
    if (name.data != NULL)
        reply_bulk(reply, name);
    else
        reply_bulk_string(reply, command_full_name(request->server, row, full));
    reply_int(reply, row->arity);
    reply_flags(reply, row);
    reply_int(reply, first);
    reply_int(reply, last);
    reply_int(reply, step);
    size_t mark = reply_defer(reply);
    reply_defer_set(
        reply, mark,
        reply_words(reply, category_words, COUNT_OF(category_words), command_categories(row)));
    reply_set(reply, 0);
    reply_key_specs(reply, row);
    mark = reply_defer(reply);
    size_t subcommands = 0;
    for (const struct command *sub = row->subcommands; sub != NULL && sub->name != NULL; sub++) {
        if (!command_is_built(sub)) continue;
        reply_command(request, sub, bytes_make(NULL, 0));
        subcommands++;
    }
    if (subcommands == 0)
        reply_defer_set(reply, mark, 0);
    else
        reply_defer_array(reply, mark, subcommands);
}

/* The row of a name such as "get" or "config|get"; NULL when there is none that is built. */
const struct command *command_by_full_name(const struct server *server, struct bytes name) {
    const char *bar = name.len ? memchr(name.data, '|', name.len) : NULL;
    struct bytes first = bar ? bytes_make(name.data, (size_t)(bar - name.data)) : name;
    const struct command *row = command_find(server->commands, first);
    if (row != NULL && bar != NULL)
        row = command_find_subcommand(row, bytes_make(bar + 1, name.len - first.len - 1));
    return row != NULL && command_is_built(row) ? row : NULL;
}

static void reply_all(struct request *request) {
    size_t position = 0, count = 0, mark = reply_defer(request->reply);
    struct bytes name;
    const struct command *row;
    while ((row = command_next(request->server->commands, &position, &name)) != NULL) {
        if (!command_is_built(row)) continue;
        reply_command(request, row, name);
        count++;
    }
    reply_defer_array(request->reply, mark, count);
}

static void cmd_command(struct request *request) {
    reply_all(request);
}

static void cmd_info(struct request *request) {
    if (request->argc == 2) {
        reply_all(request);
        return;
    }
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++) {
        const struct command *row = command_by_full_name(request->server, argument(request, i));
        if (row == NULL)
            reply_null(request->reply);
        else
            reply_command(request, row, bytes_make(NULL, 0));
    }
}

static void cmd_count(struct request *request) {
    size_t position = 0;
    int64_t count = 0;
    const struct command *row;
    while ((row = command_next(request->server->commands, &position, NULL)) != NULL)
        count += command_is_built(row);
    reply_int(request->reply, count);
}

/* ---- LIST ---- */

struct filter {
    enum { FILTER_NONE, FILTER_MODULE, FILTER_CATEGORY, FILTER_PATTERN } kind;
    struct bytes pattern;
    unsigned category; /* 0: none of that name */
};

static bool passes(const struct filter *filter, const struct command *row, const char *name) {
    switch (filter->kind) {
    case FILTER_MODULE: return false; /* no command comes from a module */
    case FILTER_CATEGORY: return (command_categories(row) & filter->category) != 0;
    case FILTER_PATTERN: return glob_match(filter->pattern, bytes_from_string(name), true);
    default: return true;
    }
}

static bool parse_filter(struct request *request, struct filter *filter) {
    if (request->argc == 2) return true;
    if (request->argc == 5 && argument_is(request, 2, "filterby")) {
        filter->pattern = argument(request, 4);
        if (argument_is(request, 3, "module"))
            filter->kind = FILTER_MODULE;
        else if (argument_is(request, 3, "aclcat"))
            filter->kind = FILTER_CATEGORY;
        else if (argument_is(request, 3, "pattern"))
            filter->kind = FILTER_PATTERN;
        for (size_t i = 0; i < COUNT_OF(category_words); i++)
            if (bytes_is_word(filter->pattern, category_words[i].text + 1))
                filter->category = category_words[i].bit;
        if (filter->kind != FILTER_NONE) return true;
    }
    reply_error_code(request->reply, ERROR_SYNTAX);
    return false;
}

static void cmd_list(struct request *request) {
    struct filter filter = {0};
    size_t position = 0, count = 0;
    char full[COMMAND_NAME_MAX];
    struct bytes name;
    const struct command *row;
    if (!parse_filter(request, &filter)) return;
    size_t mark = reply_defer(request->reply);
    while ((row = command_next(request->server->commands, &position, &name)) != NULL) {
        if (!command_is_built(row)) continue;
        if (passes(&filter, row, name.data)) {
            reply_bulk(request->reply, name);
            count++;
        }
        for (const struct command *sub = row->subcommands; sub != NULL && sub->name != NULL;
             sub++) {
            command_full_name(request->server, sub, full);
            if (!command_is_built(sub) || !passes(&filter, sub, full)) continue;
            reply_bulk_string(request->reply, full);
            count++;
        }
    }
    reply_defer_array(request->reply, mark, count);
}

/* ---- GETKEYS ---- */

/* What happens to a key may depend on the options: SET overwrites, or looks first; DELEX deletes,
 * or looks first; BITFIELD reads, or writes. */
static unsigned flags_by_options(const struct command *row, unsigned flags,
                                 const struct bytes *argv, uint32_t argc) {
    static const char *const looks[] = {"get", "ifeq", "ifne", "ifdeq", "ifdne"};
    static const char *const writes[] = {"set", "incrby"};
    if (!(flags & KEY_VARIABLE_FLAGS)) return flags;
    bool bits = row->groups & GROUP_BITMAP, deletes = flags & KEY_DELETE;
    const char *const *words = bits ? writes : looks;
    size_t count = bits ? 2 : sizeof looks / sizeof *looks;
    bool found = false;
    for (uint32_t i = bits || deletes ? 2 : 3; i < argc; i++)
        for (size_t w = 0; w < count; w++) found |= bytes_is_word(argv[i], words[w]);
    if (found) return flags & ~(unsigned)KEY_VARIABLE_FLAGS;
    if (bits) return KEY_RO | KEY_ACCESS;
    return deletes ? KEY_RM | KEY_DELETE : KEY_OW | KEY_UPDATE;
}

static void get_keys(struct request *request, bool with_flags) {
    const struct bytes *argv = request->argv + 2;
    uint32_t argc = request->argc - 2;
    const struct command *row = command_by_full_name(request->server, argv[0]);
    if (row != NULL && row->subcommands != NULL && argc > 1) {
        const struct command *sub = command_find_subcommand(row, argv[1]);
        row = sub != NULL || row->handler == NULL ? sub : row;
    }
    if (row == NULL) {
        reply_error(request->reply, "ERR Invalid command specified");
        return;
    }
    if (row->keys[0].find == KEYS_NONE) {
        reply_error(request->reply, "ERR The command has no key arguments");
        return;
    }
    if ((row->arity > 0 && (uint32_t)row->arity != argc) ||
        (row->arity < 0 && argc < (uint32_t)-row->arity)) {
        reply_error(request->reply, "ERR Invalid number of arguments specified for command");
        return;
    }
    struct key_place *places = arena_try_array(request->arena, argc, sizeof *places);
    int64_t count =
        places == NULL ? COMMAND_KEYS_INVALID : command_keys(row, argv, argc, places, argc);
    /* Scripts may do without keys; that they are given fewer than they
     * count shows when they run. */
    int64_t counted;
    if (count == COMMAND_KEYS_INVALID && row->flags & COMMAND_NO_MANDATORY_KEYS &&
        number_parse_i64(argv[row->keys[0].begin], &counted))
        count = 0;
    if (count < 0 || count > argc) {
        reply_error(request->reply, "ERR Invalid arguments specified for command");
        return;
    }
    reply_array(request->reply, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        if (with_flags) reply_array(request->reply, 2);
        reply_bulk(request->reply, argv[places[i].arg]);
        if (!with_flags) continue;
        size_t mark = reply_defer(request->reply);
        size_t flags = reply_words(request->reply, key_words, COUNT_OF(key_words),
                                   flags_by_options(row, places[i].flags, argv, argc));
        reply_defer_set(request->reply, mark, flags);
    }
}

static void cmd_getkeys(struct request *request) {
    get_keys(request, false);
}

static void cmd_getkeysandflags(struct request *request) {
    get_keys(request, true);
}

static void cmd_help(struct request *request) {
    static const char *const lines[] = {
        "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "(no subcommand)",
        "    Return details about all commands.",
        "COUNT",
        "    Return the total number of commands in this server.",
        "LIST [FILTERBY (MODULE <module-name> | ACLCAT <category> | PATTERN <pattern>)]",
        "    Return a list of all commands in this server.",
        "INFO [<command-name> ...]",
        "    Return details about multiple commands.",
        "    If no command names are given, details for all commands are returned.",
        "DOCS [<command-name> ...]",
        "    Return documentation details about multiple commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "GETKEYS <full-command>",
        "    Return the keys from a full command.",
        "GETKEYSANDFLAGS <full-command>",
        "    Return the keys and the access flags from a full command.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

enum { ANY_TIME = COMMAND_LOADING | COMMAND_STALE };
#define ROW(word, args, from, run)                                                  \
    .name = (word), .arity = (args), .flags = ANY_TIME, .groups = GROUP_CONNECTION, \
    .since = (from), .handler = (run)

static const struct command command_rows[] = {
    {ROW("count", 2, "2.8.13", cmd_count), .complexity = "O(1)",
     .summary = "Returns a count of commands.", .syntax = "", .reply = "integer"},
    {ROW("info", -2, "2.8.13", cmd_info),
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Returns information about one, multiple or all commands.",
     .syntax = "[command-name [command-name ...]]", .reply = "array"},
    {ROW("list", -2, "7.0.0", cmd_list),
     .complexity = "O(N) where N is the total number of commands",
     .summary = "Returns a list of command names.",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .reply = "array of bulk"},
    {ROW("docs", -2, "7.0.0", command_cmd_docs),
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Returns documentary information about one, multiple or all commands.",
     .syntax = "[command-name [command-name ...]]", .reply = "map"},
    {ROW("getkeys", -3, "2.8.13", cmd_getkeys),
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Extracts the key names from an arbitrary command.",
     .syntax = "command [arg [arg ...]]", .reply = "array of bulk"},
    {ROW("getkeysandflags", -3, "7.0.0", cmd_getkeysandflags),
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Extracts the key names and access flags for an arbitrary command.",
     .syntax = "command [arg [arg ...]]", .reply = "array"},
    {ROW("help", 2, "5.0.0", cmd_help), .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.", .syntax = "",
     .reply = "array of statuses"},
    {0},
};

static const struct command rows[] = {
    {ROW("command", -1, "2.8.13", cmd_command),
     .complexity = "O(N) where N is the total number of commands",
     .summary = "Returns detailed information about all commands.", .syntax = "", .reply = "array",
     .subcommands = command_rows},
    {0},
};

const struct command_family command_commands = {"server", rows};
