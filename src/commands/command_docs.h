/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * COMMAND DOCS, and what it shares with the rest of COMMAND.
 */
#ifndef KN_COMMANDS_COMMAND_DOCS_H
#define KN_COMMANDS_COMMAND_DOCS_H

#include <stdbool.h>

#include "base/bytes.h"

struct command;
struct request;
struct server;

void command_cmd_docs(struct request *request);

/* Whether the row does something, by itself or by its subcommands. */
bool command_is_built(const struct command *row);
/* The row of a name such as "get" or "config|get"; NULL when there is none that is built. */
const struct command *command_by_full_name(const struct server *server, struct bytes name);

#endif
