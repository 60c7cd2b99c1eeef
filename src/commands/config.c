/* SPDX-License-Identifier: BSD-3-Clause */
/* CONFIG: the work is done by server/config.c. */
#include "server/config.h"

#include "base/arena.h"
#include "base/log.h"
#include "commands/families.h"
#include "server/command_stats.h"
#include "server/config_apply.h"
#include "server/request.h"
#include "server/server.h"
#include "server/stats.h"
#include "store/admin.h"

struct found {
    struct reply *reply;
    size_t count;
};

static void reply_found(void *context, const char *name, const char *text) {
    struct found *found = context;
    reply_bulk_string(found->reply, name);
    reply_bulk_string(found->reply, text);
    found->count++;
}

static void cmd_config_get(struct request *request) {
    struct found found = {request->reply, 0};
    size_t mark = reply_defer(request->reply);
    config_get(request->server->config, request->argv + 2, request->argc - 2, reply_found, &found);
    reply_defer_map(request->reply, mark, found.count);
}

static void cmd_config_set(struct request *request) {
    struct config_error error;
    uint32_t count = (request->argc - 2) / 2;
    if (request->argc % 2 != 0) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    struct config_change *changes = arena_try_array(request->arena, count, sizeof *changes);
    if (!changes) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        changes[i] = (struct config_change){request->argv[2 + 2 * i], request->argv[3 + 2 * i]};
    }
    bool local = request->client && config_client_is_local(request->client);
    if (config_set(request->server->config, changes, count, local, &error)) {
        reply_ok(request->reply);
    } else {
        reply_error(request->reply, error.text);
    }
}

static void cmd_config_rewrite(struct request *request) {
    struct config_error error;
    if (config_rewrite(request->server->config, &error)) {
        log_notice("CONFIG REWRITE executed with success.");
        reply_ok(request->reply);
    } else {
        log_warning("CONFIG REWRITE failed: %s", error.text);
        reply_error(request->reply, error.text);
    }
}

static void cmd_config_resetstat(struct request *request) {
    stats_reset();
    command_stats_reset(request->server);
    store_reset_stats(request->store, request->flags & REQUEST_ALL_SHARDS);
    reply_ok(request->reply);
}

static void cmd_config_help(struct request *request) {
    static const char *const lines[] = {
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern>",
        "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>",
        "    Set the configuration <directive> to <value>.",
        "RESETSTAT",
        "    Reset statistics reported by the INFO command.",
        "REWRITE",
        "    Rewrite the configuration file.",
        "HELP",
        "    Prints this help.",
    };
    enum { LINES = sizeof lines / sizeof *lines };
    reply_array(request->reply, LINES);
    for (int i = 0; i < LINES; i++) reply_status(request->reply, lines[i]);
}

enum { CONFIG_FLAGS = COMMAND_ADMIN | COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE };

static const struct command subcommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = CONFIG_FLAGS,
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Returns the effective values of configuration parameters.",
     .syntax = "parameter [parameter ...]",
     .reply = "map of bulks",
     .handler = cmd_config_get},
    {.name = "set",
     .arity = -4,
     .flags = CONFIG_FLAGS,
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Sets configuration parameters in-flight.",
     .syntax = "parameter value [parameter value ...]",
     .reply = "OK",
     .handler = cmd_config_set},
    {.name = "rewrite",
     .arity = 2,
     .flags = CONFIG_FLAGS,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Persists the effective configuration to file.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_config_rewrite},
    {.name = "resetstat",
     .arity = 2,
     .flags = CONFIG_FLAGS | COMMAND_VISITS_SHARDS,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Resets the server's statistics.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_config_resetstat},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_config_help},
    {0},
};

static const struct command rows[] = {
    {.name = "config",
     .arity = -2,
     .since = "2.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for server configuration commands.",
     .syntax = "",
     .reply = "",
     .subcommands = subcommands},
    {0},
};

const struct command_family config_commands = {"server", rows};
