/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scripts: EVAL and its kind, SCRIPT.
 */
#include "base/memory.h"
#include "commands/families.h"
#include "script/engine.h"
#include "script/local.h"
#include "script/run.h"
#include "script/scripts.h"
#include "script/shebang.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/help.h"
#include "server/request.h"
#include "server/server.h"

enum { ARG_SOURCE = 1, ARG_KEY_COUNT = 2, ARG_FIRST_KEY = 3 };

/* The thread's engine; replies when it cannot be made. */
static struct engine *engine_here(struct request *request) {
    struct engine *engine = scripts_engine(request->server->scripts, request->client->worker);
    if (engine == NULL) reply_error_code(request->reply, ERROR_NO_MEMORY);
    return engine;
}

static bool count_keys(struct request *request, uint32_t *ret_count) {
    int64_t count;
    if (!argument_i64(request, ARG_KEY_COUNT, &count, NULL)) return false;
    if (count > (int64_t)request->argc - ARG_FIRST_KEY) {
        reply_error(request->reply, "ERR Number of keys can't be greater than number of args");
        return false;
    }
    if (count < 0) {
        reply_error(request->reply, "ERR Number of keys can't be negative");
        return false;
    }
    *ret_count = (uint32_t)count;
    return true;
}

static void reply_no_script(struct request *request) {
    reply_error(request->reply, "NOSCRIPT No matching script. Please use EVAL.");
}

static struct local_script *find_by_sha1(struct engine *engine, struct request *request) {
    struct sha1 sha1;
    bool replied = false;
    struct local_script *local = NULL;
    if (sha1_parse(request->argv[ARG_SOURCE], &sha1))
        local = local_find(engine, request, &sha1, &replied);
    if (local == NULL && !replied) reply_no_script(request);
    return local;
}

static void eval(struct request *request, bool by_sha1, bool read_only) {
    uint32_t key_count;
    struct engine *engine = engine_here(request);
    if (engine == NULL) return;
    if (by_sha1 && request->argv[ARG_SOURCE].len != SHA1_HEX) {
        reply_no_script(request);
        return;
    }
    if (!count_keys(request, &key_count)) return;
    struct local_script *local =
        by_sha1 ? find_by_sha1(engine, request)
                : local_load(engine, request, request->argv[ARG_SOURCE], false);
    if (local == NULL) return;
    struct run run = {.engine = engine,
                      .request = request,
                      .name = local->script->name,
                      .function = local->function,
                      .whole = &local->script->whole,
                      .first_key = ARG_FIRST_KEY,
                      .key_count = key_count};
    if (run_admit(request, local->script->flags, read_only, &run.flags)) run_script(&run);
}

static bool eval_writes(struct server *server, const struct bytes *argv) {
    (void)server;
    return !shebang_says(argv[ARG_SOURCE], SCRIPT_NO_WRITES);
}

static bool evalsha_writes(struct server *server, const struct bytes *argv) {
    struct sha1 sha1;
    struct script *script =
        sha1_parse(argv[ARG_SOURCE], &sha1) ? scripts_find(server->scripts, &sha1) : NULL;
    bool writes = script == NULL || !(script->flags & SCRIPT_NO_WRITES);
    if (script != NULL) script_drop(script);
    return writes;
}

static void cmd_eval(struct request *request) {
    eval(request, false, false);
}

static void cmd_evalsha(struct request *request) {
    eval(request, true, false);
}

static void cmd_eval_ro(struct request *request) {
    eval(request, false, true);
}

static void cmd_evalsha_ro(struct request *request) {
    eval(request, true, true);
}

/* ---- SCRIPT ---- */

static void cmd_script_load(struct request *request) {
    struct engine *engine = engine_here(request);
    if (engine == NULL) return;
    struct local_script *local = local_load(engine, request, request->argv[2], true);
    if (local != NULL) reply_bulk_string(request->reply, local->script->name);
}

/* The script of a SHA1, held; NULL when there is none. */
static struct script *find_script(struct request *request, uint32_t arg) {
    struct sha1 sha1;
    if (!sha1_parse(request->argv[arg], &sha1)) return NULL;
    return scripts_find(request->server->scripts, &sha1);
}

static void cmd_script_exists(struct request *request) {
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++) {
        struct script *script = find_script(request, i);
        reply_int(request->reply, script != NULL);
        if (script != NULL) script_drop(script);
    }
}

static void cmd_script_show(struct request *request) {
    struct script *script = find_script(request, 2);
    if (script == NULL) {
        reply_no_script(request);
        return;
    }
    reply_bulk(request->reply, script->source);
    script_drop(script);
}

/* What is freed is little either way: the sources here, the compiled functions by each thread. */
static void cmd_script_flush(struct request *request) {
    if (request->argc > 3 || (request->argc == 3 && !argument_is(request, 2, "sync") &&
                              !argument_is(request, 2, "async"))) {
        reply_error(request->reply, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        return;
    }
    scripts_flush(request->server->scripts);
    scripts_tidy(request->server->scripts);
    reply_ok(request->reply);
}

static void cmd_script_kill(struct request *request) {
    scripts_kill(request, false);
}

static void cmd_script_debug(struct request *request) {
    if (argument_is(request, 2, "no"))
        reply_ok(request->reply);
    else if (argument_is(request, 2, "yes") || argument_is(request, 2, "sync"))
        reply_error(request->reply, "ERR SCRIPT DEBUG is not supported by this version of Keynome");
    else
        reply_error(request->reply, "ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

static void cmd_script_help(struct request *request) {
    static const char *const lines[] = {
        "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DEBUG (YES|SYNC|NO)",
        "    Set the debug mode for subsequent scripts executed.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Return information about the existence of the scripts in the script cache.",
        "FLUSH [ASYNC|SYNC]",
        "    Flush the Lua scripts cache. Very dangerous on replicas.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the scripts cache.",
        "    * SYNC: Synchronously flush the scripts cache.",
        "KILL",
        "    Kill the currently executing Lua script.",
        "LOAD <script>",
        "    Load a script into the scripts cache without executing it.",
        "SHOW <sha1>",
        "    Show a script from the scripts cache.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

/* ---- rows ---- */

enum { KEYS_RW = KEY_RW | KEY_ACCESS | KEY_UPDATE, KEYS_RO = KEY_RO | KEY_ACCESS };
enum {
    RUNS = COMMAND_NO_SCRIPT | COMMAND_SKIP_MONITOR | COMMAND_MAY_REPLICATE | COMMAND_STALE |
           COMMAND_RUNS_SCRIPT | COMMAND_NO_MANDATORY_KEYS,
    RUNS_RO = COMMAND_NO_SCRIPT | COMMAND_SKIP_MONITOR | COMMAND_READONLY | COMMAND_STALE |
              COMMAND_RUNS_SCRIPT | COMMAND_NO_MANDATORY_KEYS,
};

static const struct command script_rows[] = {
    {.name = "debug",
     .arity = 3,
     .flags = COMMAND_NO_SCRIPT,
     .groups = GROUP_SCRIPTING,
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Sets the debug mode of server-side Lua scripts; only NO is supported.",
     .syntax = "<YES | SYNC | NO>",
     .reply = "OK",
     .handler = cmd_script_debug},
    {.name = "exists",
     .arity = -3,
     .flags = COMMAND_NO_SCRIPT,
     .groups = GROUP_SCRIPTING,
     .since = "2.6.0",
     .complexity = "O(N) with N being the number of scripts to check",
     .summary = "Determines whether server-side Lua scripts exist in the script cache.",
     .syntax = "sha1 [sha1 ...]",
     .reply = "array of integers",
     .handler = cmd_script_exists},
    {.name = "flush",
     .arity = -2,
     .flags = COMMAND_NO_SCRIPT,
     .groups = GROUP_SCRIPTING,
     .since = "2.6.0",
     .complexity = "O(N) with N being the number of scripts in cache",
     .summary = "Removes all server-side Lua scripts from the script cache.",
     .syntax = "[ASYNC | SYNC]",
     .reply = "OK",
     .handler = cmd_script_flush},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .groups = GROUP_SCRIPTING,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_script_help},
    {.name = "kill",
     .arity = 2,
     .flags = COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
     .groups = GROUP_SCRIPTING,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Terminates a server-side Lua script during execution.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_script_kill},
    {.name = "load",
     .arity = 3,
     .flags = COMMAND_NO_SCRIPT | COMMAND_STALE,
     .groups = GROUP_SCRIPTING,
     .since = "2.6.0",
     .complexity = "O(N) with N being the length in bytes of the script body",
     .summary = "Loads a server-side Lua script to the script cache.",
     .syntax = "script",
     .reply = "bulk",
     .handler = cmd_script_load},
    {.name = "show",
     .arity = 3,
     .flags = COMMAND_NO_SCRIPT,
     .groups = GROUP_SCRIPTING,
     .since = "8.0.0",
     .complexity = "O(1)",
     .summary = "Shows a server-side Lua script of the script cache.",
     .syntax = "sha1",
     .reply = "bulk",
     .handler = cmd_script_show},
    {0},
};

static const struct command rows[] = {
    {.name = "eval",
     .arity = -3,
     .flags = RUNS,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RW)},
     .since = "2.6.0",
     .complexity = "Depends on the script that is executed.",
     .summary = "Executes a server-side Lua script.",
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_eval,
     .writes = eval_writes},
    {.name = "evalsha",
     .arity = -3,
     .flags = RUNS,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RW)},
     .since = "2.6.0",
     .complexity = "Depends on the script that is executed.",
     .summary = "Executes a server-side Lua script by SHA1 digest.",
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_evalsha,
     .writes = evalsha_writes},
    {.name = "eval_ro",
     .arity = -3,
     .flags = RUNS_RO,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RO)},
     .since = "7.0.0",
     .complexity = "Depends on the script that is executed.",
     .summary = "Executes a read-only server-side Lua script.",
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_eval_ro},
    {.name = "evalsha_ro",
     .arity = -3,
     .flags = RUNS_RO,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RO)},
     .since = "7.0.0",
     .complexity = "Depends on the script that is executed.",
     .summary = "Executes a read-only server-side Lua script by SHA1 digest.",
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_evalsha_ro},
    {.name = "script",
     .arity = -2,
     .groups = 0,
     .since = "2.6.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for Lua scripts management commands.",
     .syntax = "",
     .reply = "",
     .subcommands = script_rows},
    {0},
};

const struct command_family script_commands = {"scripting", rows};
