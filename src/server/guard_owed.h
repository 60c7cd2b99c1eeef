/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys that should have a lifetime, and were made by a command that cannot say one.
 *
 * What: clients make such a key (LPUSH, HSET ...) and give it its lifetime with the next
 *       command. So it is looked at again when they have had a second for that; only a key that
 *       is still without one is noted.
 * Always: at most GUARD_OWED_MAX keys of a worker wait at a time; of more than that, nobody knows.
 * Owner: each worker has its own. Lock: said at each function. Errors: none.
 */
#ifndef KN_SERVER_GUARD_OWED_H
#define KN_SERVER_GUARD_OWED_H

#include <stdint.h>

struct guard_owed;
struct guard_place;
struct request;
struct worker;

enum { GUARD_OWED_MAX = 1 << 16, GUARD_OWED_MS = 1000 };

struct guard_owed *guard_owed_new(void);
void guard_owed_free(struct guard_owed *owed);

/* The request has made this key. On a worker's thread, with the key's shard held. */
void guard_owe(const struct request *request, const struct guard_place *place);
/* Looks at those whose time has come, for a few milliseconds at most. On the worker's
 * thread, which holds no shard. */
void guard_owed_settle(struct worker *worker);

#endif
