/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO: the text is made by server/info.c. */
#include "server/info.h"

#include "commands/families.h"
#include "server/request.h"

enum { INFO_BYTES_MAX = 32 * 1024 * 1024 };

static void cmd_info(struct request *request) {
    struct buffer text;
    buffer_init(&text, INFO_BYTES_MAX);
    struct info info = {
        .out = &text,
        .server = request->server,
        .shards_held = request->flags & REQUEST_ALL_SHARDS,
        .now_ms = request->now_ms,
    };
    info_write(&info, request->argv + 1, request->argc - 1);
    reply_verbatim(request->reply, "txt", buffer_bytes(&text));
    buffer_done(&text);
}

static const struct command rows[] = {
    {.name = "info",
     .arity = -1,
     .flags = COMMAND_LOADING | COMMAND_STALE | COMMAND_VISITS_SHARDS,
     .groups = GROUP_DANGEROUS,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns information and statistics about the server.",
     .syntax = "[section [section ...]]",
     .reply = "verbatim text",
     .handler = cmd_info},
    {0},
};

const struct command_family info_commands = {"server", rows};
