/* SPDX-License-Identifier: BSD-3-Clause */
/* The server as a whole: TIME, ROLE, SHUTDOWN, MEMORY, LOLWUT. */
#include "base/clock.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/help.h"
#include "server/busy.h"
#include "server/server.h"
#include "server/version.h"

static void cmd_time(struct request *request) {
    int64_t now_us = clock_realtime_us();
    reply_array(request->reply, 2);
    reply_bulk_i64(request->reply, now_us / 1000000);
    reply_bulk_i64(request->reply, now_us % 1000000);
}

static void cmd_role(struct request *request) {
    reply_array(request->reply, 3);
    reply_bulk_string(request->reply, "master");
    reply_int(request->reply, 0);
    reply_array(request->reply, 0);
}

static void cmd_shutdown(struct request *request) {
    bool save = false, nosave = false, abort = false, other = false;
    for (uint32_t i = 1; i < request->argc; i++) {
        if (argument_is(request, i, "save"))
            save = true;
        else if (argument_is(request, i, "nosave"))
            nosave = true;
        else if (argument_is(request, i, "abort"))
            abort = true;
        else if (argument_is(request, i, "now") || argument_is(request, i, "force"))
            other = true;
        else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return;
        }
    }
    if ((save && nosave) || (abort && (save || nosave || other))) {
        reply_error_code(request->reply, ERROR_SYNTAX);
    } else if (store_is_busy(request->store) && !nosave) {
        busy_reply(request->server, request->reply);
    } else if (abort) {
        reply_error(request->reply, "ERR No shutdown in progress.");
    } else if (save) {
        reply_error(
            request->reply,
            "ERR SHUTDOWN SAVE is not possible: this version keeps data in memory only. Use "
            "SHUTDOWN NOSAVE to stop and lose them.");
    } else {
        client_close(request->client, true);
        server_stop(request->server);
    }
}

/* ---- MEMORY ---- */

static void cmd_usage(struct request *request) {
    int64_t samples;
    for (uint32_t i = 3; i < request->argc; i += 2) {
        if (!argument_is(request, i, "samples") || i + 1 == request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return;
        }
        /* Values know their size exactly: there is nothing to sample. */
        if (!argument_i64_range(request, i + 1, 0, INT64_MAX, &samples, "ERR syntax error")) return;
    }
    const struct entry *entry = request_find_key(request, request_key(request, 0));
    if (entry == NULL)
        reply_null(request->reply);
    else
        reply_int(request->reply, (int64_t)entry_bytes(entry) + ENTRY_SLOT_BYTES);
}

static void cmd_memory_help(struct request *request) {
    static const char *const lines[] = {
        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Values know their size",
        "    exactly, so that SAMPLES changes nothing.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

/* ---- LOLWUT ---- */

/* Like Redis's, the picture ends by telling the version: libraries look for these words. */
static void cmd_lolwut(struct request *request) {
    static const char picture[] = "      k:*\n"
                                  "     /   \\\n"
                                  "  k:a    k:b:*\n"
                                  "   |     /    \\\n"
                                  "  TTL  k:b:1  k:b:2\n"
                                  "\n"
                                  "A garden of keys, each on its bough. Keynome " KN_VERSION
                                  ", Redis ver. " REDIS_VERSION "\n";
    reply_verbatim(request->reply, "txt", bytes_make(picture, sizeof picture - 1));
}

enum { ANY_TIME = COMMAND_LOADING | COMMAND_STALE };

static const struct command memory_rows[] = {
    {.name = "usage",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .keys = {KEY_AT(2, KEY_RO)},
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Estimates the memory usage of a key.",
     .syntax = "key [SAMPLES count]",
     .reply = "integer | null",
     .handler = cmd_usage},
    PLANNED("doctor", "4.0.0", "Says what memory is wasted by.", 0),
    PLANNED("malloc-stats", "4.0.0", "Shows the allocator's own report.", 0),
    PLANNED("purge", "4.0.0", "Gives free memory back.", 0),
    PLANNED("stats", "4.0.0", "Tells what memory is used for.", 0),
    {.name = "help",
     .arity = 2,
     .flags = ANY_TIME,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_memory_help},
    {0},
};

static const struct command rows[] = {
    {.name = "time",
     .arity = 1,
     .flags = ANY_TIME | COMMAND_FAST,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Returns the server time.",
     .syntax = "",
     .reply = "array of two bulks",
     .handler = cmd_time},
    {.name = "role",
     .arity = 1,
     .flags = ANY_TIME | COMMAND_NO_SCRIPT | COMMAND_FAST,
     .groups = GROUP_ADMIN | GROUP_DANGEROUS,
     .since = "2.8.12",
     .complexity = "O(1)",
     .summary = "Returns the replication role.",
     .syntax = "",
     .reply = "array",
     .handler = cmd_role},
    {.name = "shutdown",
     .arity = -1,
     .flags = ANY_TIME | COMMAND_ADMIN | COMMAND_NO_SCRIPT | COMMAND_NO_MULTI | COMMAND_ALLOW_BUSY,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stops the server.",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
     .reply = "error, or none",
     .handler = cmd_shutdown},
    {.name = "lolwut",
     .arity = -1,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Displays a picture and the version.",
     .syntax = "[VERSION version]",
     .reply = "verbatim",
     .handler = cmd_lolwut},
    {.name = "memory",
     .arity = -2,
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for memory diagnostics commands.",
     .syntax = "",
     .reply = "",
     .subcommands = memory_rows},
    {0},
};

const struct command_family server_commands = {"server", rows};
