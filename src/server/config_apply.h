/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which part of the server takes over which directive.
 *
 * What: connects configuration with the parts that keep copies of its values: limits of clients and
 *       of the store, encodings, password, events, log level, folder, locale.
 * Owner: configuration keeps the connections until it is freed; the server must
 *        outlive every CONFIG SET.
 * Lock: none: before workers run. Errors: as config_apply_all.
 */
#ifndef KN_SERVER_CONFIG_APPLY_H
#define KN_SERVER_CONFIG_APPLY_H

#include "server/config.h"

struct client;
struct server;

/* Connects the parts and gives them the values as they are. */
bool config_connect(struct config *config, struct server *server, struct config_error *error);

/* Whether the client is on this machine: see config_set. */
bool config_client_is_local(const struct client *client);

/* How many threads to run: `threads`, else `io-threads` where it was given, else the CPUs. */
unsigned config_thread_count(struct config *config);

#endif
