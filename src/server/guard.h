/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalog's say in commands that write.
 *
 * What: before a command runs, refuses what an enforced pattern forbids; after it, sees what a pattern that is only
 *       observed would have forbidden, and gives keys the lifetimes that an enforced pattern asks for.
 *       Both note violations. guard.c says what is looked at when, and what it costs.
 * Lock: the shards of the request's keys, as for its handler. Errors: replied, beginning with CATALOG.
 */
#ifndef KN_SERVER_GUARD_H
#define KN_SERVER_GUARD_H

#include <stdbool.h>

struct request;

/* False when the command is refused, which has been replied. */
bool guard_before(struct request *request);
/* failed: the command replied an error. */
void guard_after(struct request *request, bool failed);

#endif
