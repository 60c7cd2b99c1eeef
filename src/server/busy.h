/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scripts that run too long, and everybody else.
 *
 * What: from the moment when a script passes busy-reply-threshold, whoever needs a shard that it
 *       holds is told that the server is busy, and the script's own thread serves its clients
 *       between the script's instructions, so that one of them can end it.
 * Always: a script's thread runs no command within it but those that are allowed to a busy server.
 * Owner: the script's run. Lock: busy_begin's caller holds the set. Errors: none.
 */
#ifndef KN_SERVER_BUSY_H
#define KN_SERVER_BUSY_H

#include <stdbool.h>

#include "store/shard.h"

struct client;
struct command;
struct reply;
struct server;
struct worker;

/* The script of this client is slow; it holds these shards. is_function: FUNCTION KILL
 * ends it, not SCRIPT KILL. */
void busy_begin(struct worker *worker, const struct shard_set *held, bool is_function);
void busy_end(struct worker *worker, const struct shard_set *held);
/* Serves the worker's other clients, once, without waiting. */
void busy_serve(struct worker *worker, struct client *script_client);

/* Whether a command has to be refused at once. */
bool busy_refuses(const struct worker *worker, const struct command *command);
void busy_reply(const struct server *server, struct reply *reply);
/* The text of it, without the '-'. is_function: as for busy_begin. */
const char *busy_text(bool is_function);

#endif
