/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMAND DOCS: summaries for people and tools. */
#include "commands/command_docs.h"

#include "server/arguments.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"

static void reply_text(struct reply *reply, const char *name, const char *text) {
    reply_bulk_string(reply, name);
    reply_bulk_string(reply, text);
}

static void reply_docs(struct request *request, const struct command *row) {
    struct reply *reply = request->reply;
    char full[COMMAND_NAME_MAX];
    bool container = row->subcommands != NULL;
    reply_bulk_string(reply, command_full_name(request->server, row, full));
    reply_map(reply, 4 + (size_t)container);
    reply_text(reply, "summary", row->summary);
    reply_text(reply, "since", row->since);
    reply_text(reply, "group", command_family_name(request->server->commands, row));
    reply_text(reply, "complexity", row->complexity);
    if (!container) return;
    reply_bulk_string(reply, "subcommands");
    size_t mark = reply_defer(reply), count = 0;
    for (const struct command *sub = row->subcommands; sub->name != NULL; sub++) {
        if (!command_is_built(sub)) continue;
        reply_docs(request, sub);
        count++;
    }
    reply_defer_map(reply, mark, count);
}

void command_cmd_docs(struct request *request) {
    size_t mark = reply_defer(request->reply), count = 0, position = 0;
    const struct command *row;
    if (request->argc == 2) {
        while ((row = command_next(request->server->commands, &position, NULL)) != NULL) {
            if (!command_is_built(row)) continue;
            reply_docs(request, row);
            count++;
        }
    }
    for (uint32_t i = 2; i < request->argc; i++) {
        row = command_by_full_name(request->server, argument(request, i));
        if (row == NULL) continue;
        reply_docs(request, row);
        count++;
    }
    reply_defer_map(request->reply, mark, count);
}
