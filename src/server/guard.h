/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalog's say in commands that write.
 *
 * What: refuses what an enforced pattern forbids, so that nothing has changed; sees what a
 *       pattern that is only observed would have forbidden; and gives keys the lifetimes that an
 *       enforced pattern asks for. All of them note violations. guard.c says what is looked at
 *       when, and what it costs.
 * Lock: the shards of the request's keys, as for its handler. Errors:
 *       replied, beginning with CATALOG.
 */
#ifndef KN_SERVER_GUARD_H
#define KN_SERVER_GUARD_H

#include <stdbool.h>

struct request;

/* Runs a command that writes, where a pattern is enforced: refuses what must
 * not be, which is replied. */
void guard_run(struct request *request);
/* Where none is: what the command has done. failed: the command replied an error. */
void guard_after(struct request *request, bool failed);

/* What was noted while events were held back counts now; or, without a server, never was. */
struct server;
void guard_end_holding(struct server *server);

#endif
