/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A walk over the keyspace in steps, and the cursor that a client carries from one to the next.
 *
 * What: a shard's number, a place in the space of hashes (ds/table.h), and what is needed where
 *       catalogs have aliases: which round it is, and by which names keys went when the walk began.
 *       53 bits in all, so that clients may keep it in a double. A key that moves from its legacy
 *       name to the canonical one, which lies elsewhere, may move from what is to be walked yet to
 *       what was walked already. As long as the same names hold it does so once at most. So while
 *       keys may move, the walk goes round twice, the second time for keys whose patterns have
 *       aliases; and when other names have come into force since the last step, it begins anew,
 *       since keys may have moved in between, however short that was.
 * Always: who walks from 0 to 0 meets every key that is there all the while, by whatever of its
 *         names, if names change less than 2,047 times between two steps. A walk ends when names
 *         hold for as long as a round takes.
 * Lock: none. Errors: any cursor is a place somewhere.
 */
#ifndef KN_COMMANDS_WALK_H
#define KN_COMMANDS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct request;

enum walk_round { WALK_ONLY_ROUND, WALK_FIRST_ROUND, WALK_SECOND_ROUND };

/* A step of a table may end at any place; a walk, where the lower bits are none. Tables of less
 * than many millions of keys know no others. */
enum { WALK_FINE_BITS = 12 };

struct walk {
    unsigned shard, last; /* where it is, and where a round ends */
    uint64_t position;    /* in the shard's table */
    enum walk_round round;
    uint64_t generation; /* of the names that hold (aliases.h) */
};

struct walk walk_from(const struct request *request, uint64_t cursor);
/* Only keys of one shard are wanted. */
void walk_narrow(struct walk *walk, unsigned shard);
/* After a step in the shard: goes on to the next where it is done. False when the walk is over. */
bool walk_on(struct walk *walk, const struct request *request);
uint64_t walk_cursor(const struct walk *walk);
/* Whether this round is for a key of this name. A shard is held. */
bool walk_wants_again(const struct request *request, struct bytes name);
static inline bool walk_wants(const struct walk *walk, const struct request *request,
                              struct bytes name) {
    return walk->round != WALK_SECOND_ROUND || walk_wants_again(request, name);
}
/* Whether the walk may be left where it is. */
static inline bool walk_can_rest(const struct walk *walk) {
    return (walk->position & ((1 << WALK_FINE_BITS) - 1)) == 0;
}

/* Ends the reply of a step whose keys, `found` of them, were written from `start` on. The cursor
 * goes before them, though it is known last. more: whether the walk is not over. */
void walk_reply(struct request *request, size_t start, const struct walk *walk, bool more,
                size_t found);

#endif
