/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server: its parts, handed to each other by main.
 *
 * What: pointers to the parts that a request may need. Each part guards itself.
 * Owner: main makes the parts and frees them; the server owns its workers. Lock: none: the pointers
 *        do not change while workers run.
 */
#ifndef KN_SERVER_SERVER_H
#define KN_SERVER_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/limits.h"

struct aliases;
struct auth;
struct blocking;
struct command_table;
struct config;
struct pause;
struct pubsub;
struct registry;
struct scripts;
struct store;
struct watching;
struct worker;

struct server {
    struct config *config;
    struct store *store;
    struct command_table *commands;
    struct registry *registry; /* all clients */
    struct pubsub *pubsub;
    struct blocking *blocking;
    struct watching *watching;
    struct pause *pause;
    struct auth *auth;
    struct scripts *scripts; /* of script/, which is above: main makes and frees it */
    struct catalogs *catalogs;
    struct aliases *aliases;       /* of what they say */
    struct violations *violations; /* of what they ask */
    struct client_limits limits;
    _Atomic unsigned notify; /* enum notify_flag and enum event_class: notify-keyspace-events */
    struct worker **workers;
    unsigned worker_count;
    _Atomic unsigned port; /* of TCP, 0 for none */
    int64_t started_ms;
    _Atomic bool stopping;
    _Atomic bool busy_with_function; /* what the script that runs too long is */
};

/* Makes the parts and `threads` workers around a store. */
struct server *server_new(struct store *store, struct command_table *commands,
                          struct config *config, unsigned threads);
void server_free(struct server *server);
/* Runs worker 0 on the calling thread and the others on their own, until server_stop. */
int server_run(struct server *server);
/* From any thread, and from signal handlers. */
void server_stop(struct server *server);

#endif
