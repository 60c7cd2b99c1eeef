/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions: FCALL, FCALL_RO, FUNCTION.
 */
#include <stdio.h>

#include "base/glob.h"
#include "base/memory.h"
#include "commands/families.h"
#include "persist/payload.h"
#include "persist/reader.h"
#include "persist/writer.h"
#include "script/engine.h"
#include "script/functions.h"
#include "script/run.h"
#include "script/scripts.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/help.h"
#include "server/request.h"
#include "server/server.h"

enum { ARG_NAME = 1, ARG_KEY_COUNT = 2, ARG_FIRST_KEY = 3, LIBRARIES_MAX = 4096 };
/* What stands before each library in a payload. */
enum { RDB_OPCODE_FUNCTION = 245, FUNCTION_RDB_VERSION = 10 };
#define PAYLOAD_MAX ((size_t)1 << 30)

static struct engine *engine_here(struct request *request) {
    struct engine *engine = scripts_engine(request->server->scripts, request->client->worker);
    if (engine == NULL) reply_error_code(request->reply, ERROR_NO_MEMORY);
    return engine;
}

static struct libraries *all_libraries(struct request *request) {
    return scripts_libraries(request->server->scripts);
}

/* An argument as an error shows it: at most so many bytes. */
enum { SHOWN_MAX = 128 };
static int shown_len(const struct request *request, uint32_t arg) {
    return (int)(request->argv[arg].len < SHOWN_MAX ? request->argv[arg].len : SHOWN_MAX);
}

/* ---- FCALL ---- */

static void fcall(struct request *request, bool read_only) {
    char error[LIBRARY_ERROR_MAX];
    struct local_function found;
    int64_t keys;
    struct engine *engine = engine_here(request);
    if (engine == NULL) return;
    if (!functions_find(engine, request->argv[ARG_NAME], &found, error)) {
        reply_error_format(request->reply, "ERR %s", error[0] ? error : "Function not found");
        return;
    }
    if (!argument_i64(request, ARG_KEY_COUNT, &keys, "ERR Bad number of keys provided")) return;
    if (keys > (int64_t)request->argc - ARG_FIRST_KEY) {
        reply_error(request->reply, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (keys < 0) {
        reply_error(request->reply, "ERR Number of keys can't be negative");
        return;
    }
    struct run run = {.engine = engine,
                      .request = request,
                      .name = found.function->name,
                      .function = found.reference,
                      .whole = &found.function->whole,
                      .first_key = ARG_FIRST_KEY,
                      .key_count = (uint32_t)keys};
    if (!run_admit(request, found.function->flags, read_only, &run.flags)) return;
    run.flags |= RUN_FUNCTION;
    run_script(&run);
}

static bool fcall_writes(struct server *server, const struct bytes *argv) {
    uint32_t index;
    struct library *library =
        libraries_find_function(scripts_libraries(server->scripts), argv[ARG_NAME], &index);
    if (library == NULL) return true;
    bool writes = !(library->functions[index]->flags & SCRIPT_NO_WRITES);
    library_drop(library);
    return writes;
}

static void cmd_fcall(struct request *request) {
    fcall(request, false);
}

static void cmd_fcall_ro(struct request *request) {
    fcall(request, true);
}

/* ---- FUNCTION ---- */

static void cmd_function_load(struct request *request) {
    char error[LIBRARY_ERROR_MAX];
    uint32_t source = request->argc - 1;
    bool replace = false;
    for (uint32_t i = 2; i < source; i++) {
        if (!argument_is(request, i, "replace")) {
            reply_error_format(request->reply, "ERR Unknown option given: %.*s",
                               shown_len(request, i), request->argv[i].data);
            return;
        }
        replace = true;
    }
    struct engine *engine = engine_here(request);
    if (engine == NULL) return;
    struct library *first_look = library_new(request->argv[source], error);
    if (first_look != NULL && !replace &&
        libraries_has(all_libraries(request), bytes_from_string(first_look->name))) {
        reply_error_format(request->reply, "ERR Library '%s' already exists", first_look->name);
        library_drop(first_look);
        return;
    }
    if (first_look != NULL) library_drop(first_look);
    struct library *library = functions_load(engine, request->argv[source], error);
    if (library != NULL && libraries_publish(all_libraries(request), &library, 1,
                                             replace ? LIBRARY_REPLACE : LIBRARY_APPEND, error)) {
        reply_bulk_string(request->reply, library->name);
    } else {
        reply_error_format(request->reply, "ERR %s", error);
        if (library != NULL) functions_withdraw(engine, library);
    }
    if (library != NULL) library_drop(library);
}

static void cmd_function_delete(struct request *request) {
    if (libraries_delete(all_libraries(request), request->argv[2]))
        reply_ok(request->reply);
    else
        reply_error(request->reply, "ERR Library not found");
}

static void cmd_function_flush(struct request *request) {
    if (request->argc > 3) {
        reply_error(request->reply, "ERR unknown subcommand or wrong number of arguments for "
                                    "'flush'. Try FUNCTION HELP.");
        return;
    }
    if (request->argc == 3 && !argument_is(request, 2, "sync") &&
        !argument_is(request, 2, "async")) {
        reply_error(request->reply, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        return;
    }
    libraries_flush(all_libraries(request));
    scripts_tidy(request->server->scripts);
    reply_ok(request->reply);
}

static void reply_flags(struct reply *reply, unsigned flags) {
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {
        {"no-writes", SCRIPT_NO_WRITES},
        {"allow-oom", SCRIPT_ALLOW_OOM},
        {"allow-stale", SCRIPT_ALLOW_STALE},
        {"no-cluster", SCRIPT_NO_CLUSTER},
        {"allow-cross-slot-keys", SCRIPT_CROSS_SLOT},
    };
    reply_set(reply, (size_t)__builtin_popcount(flags));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (flags & names[i].flag) reply_status(reply, names[i].name);
}

static void reply_library(struct reply *reply, const struct library *library, bool with_code) {
    reply_map(reply, with_code ? 4 : 3);
    reply_bulk_string(reply, "library_name");
    reply_bulk_string(reply, library->name);
    reply_bulk_string(reply, "engine");
    reply_bulk_string(reply, "LUA");
    reply_bulk_string(reply, "functions");
    reply_array(reply, library->count);
    for (uint32_t i = 0; i < library->count; i++) {
        const struct library_function *function = library->functions[i];
        reply_map(reply, 3);
        reply_bulk_string(reply, "name");
        reply_bulk_string(reply, function->name);
        reply_bulk_string(reply, "description");
        if (function->description != NULL)
            reply_bulk_string(reply, function->description);
        else
            reply_null(reply);
        reply_bulk_string(reply, "flags");
        reply_flags(reply, function->flags);
    }
    if (!with_code) return;
    reply_bulk_string(reply, "library_code");
    reply_bulk(reply, library->source);
}

static void cmd_function_list(struct request *request) {
    bool with_code = false, has_pattern = false;
    struct bytes pattern = {0};
    for (uint32_t i = 2; i < request->argc; i++) {
        if (!with_code && argument_is(request, i, "withcode")) {
            with_code = true;
        } else if (!has_pattern && argument_is(request, i, "libraryname")) {
            if (++i == request->argc) {
                reply_error(request->reply, "ERR library name argument was not given");
                return;
            }
            has_pattern = true;
            pattern = request->argv[i];
        } else {
            reply_error_format(request->reply, "ERR Unknown argument %.*s", shown_len(request, i),
                               request->argv[i].data);
            return;
        }
    }
    size_t count, shown = 0, mark = reply_defer(request->reply);
    struct library **all = libraries_all(all_libraries(request), &count);
    for (size_t i = 0; i < count; i++) {
        if (!has_pattern || glob_match(pattern, bytes_from_string(all[i]->name), true)) {
            reply_library(request->reply, all[i], with_code);
            shown++;
        }
        library_drop(all[i]);
    }
    mem_free(all);
    reply_defer_array(request->reply, mark, shown);
}

static void cmd_function_stats(struct request *request) {
    size_t libraries, functions;
    struct reply *reply = request->reply;
    libraries_count(all_libraries(request), &libraries, &functions);
    reply_map(reply, 2);
    reply_bulk_string(reply, "running_script");
    scripts_reply_running(request);
    reply_bulk_string(reply, "engines");
    reply_map(reply, 1);
    reply_bulk_string(reply, "LUA");
    reply_map(reply, 2);
    reply_bulk_string(reply, "libraries_count");
    reply_int(reply, (int64_t)libraries);
    reply_bulk_string(reply, "functions_count");
    reply_int(reply, (int64_t)functions);
}

static void cmd_function_kill(struct request *request) {
    scripts_kill(request, true);
}

/* ---- DUMP and RESTORE ---- */

static void cmd_function_dump(struct request *request) {
    struct buffer out;
    struct rdb_writer writer;
    size_t count;
    buffer_init(&out, PAYLOAD_MAX);
    rdb_writer_init(&writer, &out, true);
    struct library **all = libraries_all(all_libraries(request), &count);
    for (size_t i = 0; i < count; i++) {
        rdb_write_byte(&writer, RDB_OPCODE_FUNCTION);
        rdb_write_string(&writer, all[i]->source);
        library_drop(all[i]);
    }
    mem_free(all);
    if (writer.error || payload_seal(&out, FUNCTION_RDB_VERSION) != 0)
        reply_error_code(request->reply, ERROR_NO_MEMORY);
    else
        reply_bulk(request->reply, buffer_bytes(&out));
    buffer_done(&out);
}

/* Runs every library of a payload; false with a text when one is wrong. They
 * are in `loaded` either way. */
static bool load_payload(struct engine *engine, struct bytes body, unsigned version,
                         struct library **loaded, size_t *count, char error[LIBRARY_ERROR_MAX]) {
    struct rdb_reader reader;
    struct rdb_text text = {0};
    bool good = true;
    rdb_reader_init(&reader, body, version);
    while (good && rdb_left(&reader) > 0) {
        unsigned opcode;
        struct bytes source;
        good = false;
        if (!rdb_read_byte(&reader, &opcode)) {
            snprintf(error, LIBRARY_ERROR_MAX, "failed loading payload");
        } else if (opcode != RDB_OPCODE_FUNCTION) {
            snprintf(error, LIBRARY_ERROR_MAX, "given type is not a function");
        } else if (*count == LIBRARIES_MAX) {
            snprintf(error, LIBRARY_ERROR_MAX, "too many libraries");
        } else if (!rdb_read_string(&reader, &text, &source)) {
            snprintf(error, LIBRARY_ERROR_MAX, "Failed loading library payload");
        } else {
            struct library *library = functions_load(engine, source, error);
            if (library != NULL) loaded[(*count)++] = library;
            good = library != NULL;
        }
    }
    rdb_text_done(&text);
    return good;
}

static void restore(struct request *request, struct bytes body, unsigned version,
                    enum library_policy policy) {
    char error[LIBRARY_ERROR_MAX];
    size_t count = 0;
    struct engine *engine = engine_here(request);
    if (engine == NULL) return;
    struct library **loaded = mem_alloc(LIBRARIES_MAX * sizeof(struct library *));
    if (load_payload(engine, body, version, loaded, &count, error) &&
        libraries_publish(all_libraries(request), loaded, count, policy, error)) {
        if (policy == LIBRARY_FLUSH) scripts_tidy(request->server->scripts);
        reply_ok(request->reply);
    } else {
        reply_error_format(request->reply, "ERR %s", error);
        for (size_t i = 0; i < count; i++) functions_withdraw(engine, loaded[i]);
    }
    for (size_t i = 0; i < count; i++) library_drop(loaded[i]);
    mem_free(loaded);
}

static void cmd_function_restore(struct request *request) {
    enum library_policy policy = LIBRARY_APPEND;
    struct bytes body;
    unsigned version;
    if (request->argc > 4) {
        reply_error_format(request->reply,
                           "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try "
                           "FUNCTION HELP.",
                           shown_len(request, 1), request->argv[1].data);
        return;
    }
    if (request->argc == 4) {
        if (argument_is(request, 3, "append"))
            policy = LIBRARY_APPEND;
        else if (argument_is(request, 3, "replace"))
            policy = LIBRARY_REPLACE;
        else if (argument_is(request, 3, "flush"))
            policy = LIBRARY_FLUSH;
        else {
            reply_error(request->reply, "ERR Wrong restore policy given, value should be either "
                                        "FLUSH, APPEND or REPLACE.");
            return;
        }
    }
    if (payload_open(request->argv[2], &body, &version) != 0) {
        reply_error(request->reply, "ERR DUMP payload version or checksum are wrong");
        return;
    }
    restore(request, body, version, policy);
}

static void cmd_function_help(struct request *request) {
    static const char *const lines[] = {
        "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Create a new library with the given library name and code.",
        "DELETE <LIBRARY NAME>",
        "    Delete the given library.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Return general information on all the libraries:",
        "    * Library name",
        "    * The engine used to run the Library",
        "    * Library description",
        "    * Functions list",
        "    * Library code (if WITHCODE is given)",
        ("    It also possible to get only function that matches a pattern using LIBRARYNAME "
         "argument."),
        "STATS",
        "    Return information about the current function running:",
        "    * Function name",
        "    * Command used to run the function",
        "    * Duration in MS that the function is running",
        "    If no function is running, return nil",
        "    In addition, returns a list of available engines.",
        "KILL",
        "    Kill the current running function.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all the libraries.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the libraries.",
        "    * SYNC: Synchronously flush the libraries.",
        "DUMP",
        ("    Return a serialized payload representing the current libraries, can be restored "
         "using "
         "FUNCTION RESTORE command"),
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        ("    Restore the libraries represented by the given payload, it is possible to give a "
         "restore "
         "policy to"),
        "    control how to handle existing libraries (default APPEND):",
        "    * FLUSH: delete all existing libraries.",
        ("    * APPEND: appends the restored libraries to the existing libraries. On collision, "
         "abort."),
        ("    * REPLACE: appends the restored libraries to the existing libraries, On collision, "
         "replace the old"),
        ("      libraries with the new libraries (notice that even on this option there is a "
         "chance "
         "of "
         "failure"),
        "      in case of functions name collision with another library).",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

/* ---- rows ---- */

enum { KEYS_RW = KEY_RW | KEY_ACCESS | KEY_UPDATE, KEYS_RO = KEY_RO | KEY_ACCESS };
enum {
    RUNS = COMMAND_NO_SCRIPT | COMMAND_SKIP_MONITOR | COMMAND_STALE | COMMAND_RUNS_SCRIPT |
           COMMAND_NO_MANDATORY_KEYS,
    CHANGES = COMMAND_NO_SCRIPT | COMMAND_WRITE,
};
#define SUBCOMMAND .groups = GROUP_SCRIPTING, .since = "7.0.0"

static const struct command function_rows[] = {
    {.name = "delete",
     SUBCOMMAND,
     .arity = 3,
     .flags = CHANGES,
     .complexity = "O(1)",
     .summary = "Deletes a library and its functions.",
     .syntax = "library-name",
     .reply = "OK",
     .handler = cmd_function_delete},
    {.name = "dump",
     SUBCOMMAND,
     .arity = 2,
     .flags = COMMAND_NO_SCRIPT,
     .complexity = "O(N) where N is the number of functions",
     .summary = "Dumps all libraries into a serialized binary payload.",
     .syntax = "",
     .reply = "bulk",
     .handler = cmd_function_dump},
    {.name = "flush",
     SUBCOMMAND,
     .arity = -2,
     .flags = CHANGES,
     .complexity = "O(N) where N is the number of functions deleted",
     .summary = "Deletes all libraries and functions.",
     .syntax = "[ASYNC | SYNC]",
     .reply = "OK",
     .handler = cmd_function_flush},
    {.name = "help",
     SUBCOMMAND,
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_function_help},
    {.name = "kill",
     SUBCOMMAND,
     .arity = 2,
     .flags = COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
     .complexity = "O(1)",
     .summary = "Terminates a function during execution.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_function_kill},
    {.name = "list",
     SUBCOMMAND,
     .arity = -2,
     .flags = COMMAND_NO_SCRIPT,
     .complexity = "O(N) where N is the number of functions",
     .summary = "Returns information about all libraries.",
     .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
     .reply = "array of maps",
     .handler = cmd_function_list},
    {.name = "load",
     SUBCOMMAND,
     .arity = -3,
     .flags = CHANGES | COMMAND_DENY_OOM,
     .complexity = "O(1) (considering compilation time is redundant)",
     .summary = "Creates a library.",
     .syntax = "[REPLACE] function-code",
     .reply = "bulk",
     .handler = cmd_function_load},
    {.name = "restore",
     SUBCOMMAND,
     .arity = -3,
     .flags = CHANGES | COMMAND_DENY_OOM,
     .complexity = "O(N) where N is the number of functions on the payload",
     .summary = "Restores all libraries from a payload.",
     .syntax = "serialized-value [FLUSH | APPEND | REPLACE]",
     .reply = "OK",
     .handler = cmd_function_restore},
    {.name = "stats",
     SUBCOMMAND,
     .arity = 2,
     .flags = COMMAND_NO_SCRIPT | COMMAND_ALLOW_BUSY,
     .complexity = "O(1)",
     .summary = "Returns information about a function during execution.",
     .syntax = "",
     .reply = "map",
     .handler = cmd_function_stats},
    {0},
};

static const struct command rows[] = {
    {.name = "fcall",
     .arity = -3,
     .flags = RUNS | COMMAND_MAY_REPLICATE,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RW)},
     .since = "7.0.0",
     .complexity = "Depends on the function that is executed.",
     .summary = "Invokes a function.",
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_fcall,
     .writes = fcall_writes},
    {.name = "fcall_ro",
     .arity = -3,
     .flags = RUNS | COMMAND_READONLY,
     .groups = GROUP_SCRIPTING,
     .keys = {KEY_COUNTED_AT(2, KEYS_RO)},
     .since = "7.0.0",
     .complexity = "Depends on the function that is executed.",
     .summary = "Invokes a read-only function.",
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]",
     .reply = "any",
     .handler = cmd_fcall_ro},
    {.name = "function",
     .arity = -2,
     .groups = 0,
     .since = "7.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for function commands.",
     .syntax = "",
     .reply = "",
     .subcommands = function_rows},
    {0},
};

const struct command_family function_commands = {"scripting", rows};
