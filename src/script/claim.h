/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which shards a run holds, where there are several threads.
 *
 * What: a run begins with the shards of its declared keys, on trial: what it writes is noted so
 *       that it can be undone, and what it changed or counted is told to nobody. When it wants more
 *       than that (a key of another shard, the whole keyspace, a change that cannot be undone) it
 *       takes every shard, if all are free at that moment. If not, it gives up: everything is
 *       undone, and the request is run again from the beginning with every shard held, for which it
 *       waits holding none. So it is one step for everybody else, and nobody waits in a circle.
 * Always: a run on trial touches no shard that it does not hold, and nothing of
 *         it is seen before it ends.
 * Owner: the run. Lock: the request's shards. Errors: Lua's, to leave a run that is to begin again.
 */
#ifndef KN_SCRIPT_CLAIM_H
#define KN_SCRIPT_CLAIM_H

#include <lua.h>
#include <stdbool.h>

#include "store/shard.h"
#include "store/undo.h"

struct request;
struct run;

struct claim {
    bool on_trial;
    bool restart;          /* it is to begin again: nothing more runs */
    struct shard_set more; /* shards taken besides the request's */
    bool has_more;
    uint64_t hits, misses; /* that this thread had counted when the run began */
    struct undo undo;
};

/* Before a run. Returns false when it is to be run with every shard
 * instead, which it does not hold. */
bool claim_begin(struct run *run);
/* Before a command of the run: sees to it that it may run. False when
 * the run has to begin again. */
bool claim_command(struct run *run, struct request *request);
/* After the run: makes it true, or undoes it. */
void claim_end(struct run *run);
/* The shards that the run holds. */
void claim_shards(const struct run *run, struct shard_set *ret_held);

#endif
