/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cluster's commands, on a server that is not part of one. Clients send READONLY and
 * CLUSTER INFO to find out whether they talk to a cluster, and go on as usual when they
 * hear that it is disabled.
 */
#include "commands/families.h"
#include "server/request.h"

static void cmd_disabled(struct request *request) {
    reply_error(request->reply, "ERR This instance has cluster support disabled");
}

#define ROW(word, args, what, text)                                                \
    .name = (word), .arity = (args), .groups = GROUP_CONNECTION, .since = "3.0.0", \
    .complexity = "O(1)", .summary = (what), .syntax = (text), .reply = "status",  \
    .handler = cmd_disabled

enum { ANYTIME = COMMAND_FAST | COMMAND_LOADING | COMMAND_STALE };

static const struct command rows[] = {
    {ROW("asking", 1, "Announces a request that was redirected.", ""), .flags = COMMAND_FAST},
    {ROW("cluster", -2, "Tells that this server is not part of a cluster.",
         "subcommand [arg [arg ...]]"),
     .flags = COMMAND_LOADING | COMMAND_STALE},
    {ROW("readonly", 1, "Allows reads on a replica of a cluster.", ""), .flags = ANYTIME},
    {ROW("readwrite", 1, "Ends what READONLY began.", ""), .flags = ANYTIME},
    {0},
};

const struct command_family cluster_commands = {"cluster", rows};
