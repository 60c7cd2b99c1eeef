/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port for those who look after the server: /metrics for Prometheus, /healthz for
 * whoever restarts what hangs.
 *
 * What: puts together the HTTP server and what its pages show, as
 *       metrics-port and metrics-bind ask.
 * Always: no client waits for a page to be made, but for the steps in which a
 *         worker reads the keyspace.
 * Owner: main. In this order: admin_new, the workers run, admin_stop, server_free, admin_free.
 * Lock: none. Errors: admin_new returns NULL with a sentence in error.
 */
#ifndef KN_ADMIN_ADMIN_H
#define KN_ADMIN_ADMIN_H

struct admin;
struct config;
struct server;

enum { ADMIN_ERROR_MAX = 256 };

/* With a metrics-port of 0 it does nothing. Before the workers run, or while they do. */
struct admin *admin_new(struct config *config, struct server *server, char *error);
/* No page is served any more. */
void admin_stop(struct admin *admin);
void admin_free(struct admin *admin);

#endif
