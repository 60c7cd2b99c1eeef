/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A walk over the keyspace in steps, and the cursor that a client carries from one to the next.
 *
 * What: a shard's number in the low bits, so that it starts at 0, and a place in the space of hashes (ds/table.h): 52
 *       bits in all, so that clients may keep it in a double. While keys may move from legacy names to canonical
 *       ones, which lie elsewhere, one that moves from what is to be walked yet to what was walked already would be
 *       missed: then the walk goes round twice, the second time for keys whose patterns have aliases. That is bit 52;
 *       the place then gives its lowest bit for the round.
 * Always: who walks from 0 to 0 meets every key that is there all the while.
 * Lock: none. Errors: any cursor is a place somewhere.
 */
#ifndef KN_COMMANDS_WALK_H
#define KN_COMMANDS_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number.h"
#include "server/aliases.h"
#include "server/request.h"
#include "server/server.h"
#include "store/shard.h"

enum { WALK_SHARD_BITS = 8, WALK_TWICE_BIT = 52 };
_Static_assert(SHARD_COUNT == 1 << WALK_SHARD_BITS, "a cursor has room for a shard's number");

struct walk {
    unsigned shard;
    uint64_t position; /* in the shard's table */
    bool twice, again; /* two rounds, and this is the second */
};

static inline struct walk walk_from(const struct request *request, uint64_t cursor) {
    struct walk walk = {
        .shard = (unsigned)(cursor & (SHARD_COUNT - 1)),
        .position = cursor >> WALK_SHARD_BITS,
        .twice = cursor >> WALK_TWICE_BIT == 1,
    };
    if (walk.twice) {
        walk.position &= (UINT64_C(1) << (WALK_TWICE_BIT - WALK_SHARD_BITS)) - 1;
        walk.again = walk.position & 1;
        walk.position &= ~UINT64_C(1);
    } else {
        walk.twice = aliases_pending(request->server->aliases);
    }
    return walk;
}

/* After a step in the shard: goes on to the next where it is done, up to `last`. False when the walk is over. */
static inline bool walk_on(struct walk *walk, unsigned last) {
    if (walk->position != 0 || ++walk->shard <= last) return true;
    if (!walk->twice || walk->again) return false;
    walk->again = true;
    walk->shard = 0;
    return true;
}

static inline uint64_t walk_cursor(const struct walk *walk) {
    if (!walk->twice) return walk->position << WALK_SHARD_BITS | walk->shard;
    return UINT64_C(1) << WALK_TWICE_BIT |
           ((walk->position & ~UINT64_C(1)) | walk->again) << WALK_SHARD_BITS | walk->shard;
}

/* Whether this round is for a key of this name. A shard is held. */
static inline bool walk_wants(const struct walk *walk, const struct request *request,
                              struct bytes name) {
    if (kn_likely(!walk->again)) return true;
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    return table == NULL || alias_concerns(table, name);
}

/* Ends the reply of a step whose keys, `found` of them, were written from `start` on. The cursor goes before them,
 * though it is known last. */
static inline void walk_reply(struct request *request, size_t start, uint64_t cursor,
                              size_t found) {
    char head[64], digits[NUMBER_I64_MAX];
    struct buffer front = {.data = head, .cap = sizeof head, .max = sizeof head};
    struct reply front_reply;
    reply_defer_array(request->reply, start, found);
    reply_init(&front_reply, &front, request->reply->resp);
    reply_array(&front_reply, 2);
    reply_bulk(&front_reply, bytes_make(digits, number_format_u64(digits, cursor)));
    if (buffer_insert(request->reply->out, start, front.data, front.len) != 0)
        request->reply->overflow = true;
}

#endif
