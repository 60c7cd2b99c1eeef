/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMAND DOCS: summaries for people and tools. */
#include "commands/command_docs.h"

#include "commands/command_syntax.h"
#include "server/arguments.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"

static void reply_text(struct reply *reply, const char *name, const char *text) {
    reply_bulk_string(reply, name);
    reply_bulk_string(reply, text);
}

/* ---- arguments ---- */

enum { ARGUMENT_NAME_MAX = 128 };

/* Tokens and groups have no names of their own: those of what they hold, in lower case. */
static void name_argument(const struct syntax *node, char name[ARGUMENT_NAME_MAX], size_t *len) {
    struct bytes own = node->name.len ? node->name : node->token;
    if (own.len == 0) {
        for (const struct syntax *child = node->children; child != NULL; child = child->next) {
            if (child != node->children && *len + 1 < ARGUMENT_NAME_MAX) name[(*len)++] = '_';
            name_argument(child, name, len);
        }
        return;
    }
    for (size_t i = 0; i < own.len && *len < ARGUMENT_NAME_MAX; i++) {
        char c = own.data[i];
        name[(*len)++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
}

static void reply_flags(struct reply *reply, const struct syntax *node) {
    reply_bulk_string(reply, "flags");
    reply_set(reply, (size_t)node->optional + node->multiple + node->multiple_token);
    if (node->optional) reply_status(reply, "optional");
    if (node->multiple) reply_status(reply, "multiple");
    if (node->multiple_token) reply_status(reply, "multiple_token");
}

static void reply_arguments(struct reply *reply, const struct syntax *first) {
    size_t count = 0;
    for (const struct syntax *node = first; node != NULL; node = node->next) count++;
    reply_array(reply, count);
    for (const struct syntax *node = first; node != NULL; node = node->next) {
        char name[ARGUMENT_NAME_MAX];
        size_t len = 0;
        bool flags = node->optional || node->multiple, group = node->children != NULL,
             token = node->token.len > 0;
        name_argument(node, name, &len);
        reply_map(reply, 2 + (size_t)flags + group + token + (node->kind == SYNTAX_VALUE));
        reply_bulk_string(reply, "name");
        reply_bulk(reply, bytes_make(name, len));
        reply_text(reply, "type", syntax_type(node));
        if (node->kind == SYNTAX_VALUE) {
            reply_bulk_string(reply, "display_text");
            reply_bulk(reply, node->name);
        }
        if (token) {
            reply_bulk_string(reply, "token");
            reply_bulk(reply, node->token);
        }
        if (flags) reply_flags(reply, node);
        if (!group) continue;
        reply_bulk_string(reply, "arguments");
        reply_arguments(reply, node->children);
    }
}

/* ---- commands ---- */

static void reply_docs(struct request *request, const struct command *row) {
    struct reply *reply = request->reply;
    char full[COMMAND_NAME_MAX];
    bool container = row->subcommands != NULL;
    const struct syntax *arguments = container ? NULL : syntax_parse(row->syntax, request->arena);
    reply_bulk_string(reply, command_full_name(request->server, row, full));
    reply_map(reply, 4 + (size_t)container + (arguments != NULL));
    reply_text(reply, "summary", row->summary);
    reply_text(reply, "since", row->since);
    reply_text(reply, "group", command_family_name(request->server->commands, row));
    reply_text(reply, "complexity", row->complexity);
    if (arguments != NULL) {
        reply_bulk_string(reply, "arguments");
        reply_arguments(reply, arguments);
    }
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
