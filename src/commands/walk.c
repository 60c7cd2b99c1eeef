/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cursor, from its lowest bit: the shard, the place without its fine bits, the round, the names.
 * Where there never were aliases the two last are 0, and cursors are small numbers.
 */
#include "commands/walk.h"

#include "base/number.h"
#include "server/aliases.h"
#include "server/request.h"
#include "server/server.h"
#include "store/shard.h"

enum {
    SHARD_BITS = 8,
    PLACE_BITS = TABLE_CURSOR_BITS - WALK_FINE_BITS,
    ROUND_BITS = 2,
    NAMES_BITS = 11,
};
_Static_assert(SHARD_COUNT == 1 << SHARD_BITS, "a cursor has room for a shard's number");
_Static_assert(SHARD_BITS + PLACE_BITS + ROUND_BITS + NAMES_BITS == 53, "a double holds a cursor");

/* 0 until there are aliases, and never again. */
static uint64_t names_of(uint64_t generation) {
    enum { COUNT = (1 << NAMES_BITS) - 1 };
    return generation == 0 ? 0 : 1 + (generation - 1) % COUNT;
}

static uint64_t take_bits(uint64_t *cursor, unsigned bits) {
    uint64_t taken = *cursor & ((UINT64_C(1) << bits) - 1);
    *cursor >>= bits;
    return taken;
}

static struct walk walk_begin(const struct request *request) {
    struct walk walk = {.last = SHARD_COUNT - 1};
    if (aliases_pending(request->server->aliases, &walk.generation)) walk.round = WALK_FIRST_ROUND;
    return walk;
}

struct walk walk_from(const struct request *request, uint64_t cursor) {
    struct walk walk = walk_begin(request);
    bool begins = cursor == 0;
    unsigned shard = (unsigned)take_bits(&cursor, SHARD_BITS);
    uint64_t place = take_bits(&cursor, PLACE_BITS), round = take_bits(&cursor, ROUND_BITS);
    if (begins || take_bits(&cursor, NAMES_BITS) != names_of(walk.generation)) return walk;
    walk.shard = shard;
    walk.position = place << WALK_FINE_BITS;
    walk.round = round <= WALK_SECOND_ROUND ? (enum walk_round)round : WALK_FIRST_ROUND;
    return walk;
}

void walk_narrow(struct walk *walk, unsigned shard) {
    if (walk->round != WALK_ONLY_ROUND) return; /* keys may be in other shards yet */
    walk->last = shard;
    if (walk->shard >= shard) return;
    walk->shard = shard;
    walk->position = 0;
}

bool walk_on(struct walk *walk, const struct request *request) {
    if (walk->position != 0) return true;
    if (walk->shard < walk->last) {
        walk->shard++;
        return true;
    }
    if (aliases_generation(request->server->aliases) != walk->generation) {
        *walk = walk_begin(request);
        return true;
    }
    if (walk->round != WALK_FIRST_ROUND) return false;
    walk->round = WALK_SECOND_ROUND;
    walk->shard = 0;
    return true;
}

uint64_t walk_cursor(const struct walk *walk) {
    kn_assert(walk_can_rest(walk));
    uint64_t cursor = names_of(walk->generation);
    cursor = cursor << ROUND_BITS | walk->round;
    cursor = cursor << PLACE_BITS | walk->position >> WALK_FINE_BITS;
    return cursor << SHARD_BITS | walk->shard;
}

bool walk_wants_again(const struct request *request, struct bytes name) {
    const struct alias_table *table = aliases_now(request->server->aliases, NULL);
    return table == NULL || alias_concerns(table, name);
}

void walk_reply(struct request *request, size_t start, const struct walk *walk, bool more,
                size_t found) {
    char head[64], digits[NUMBER_I64_MAX];
    struct buffer front = {.data = head, .cap = sizeof head, .max = sizeof head};
    struct reply front_reply;
    reply_defer_array(request->reply, start, found);
    reply_init(&front_reply, &front, request->reply->resp);
    reply_array(&front_reply, 2);
    reply_bulk(&front_reply,
               bytes_make(digits, number_format_u64(digits, more ? walk_cursor(walk) : 0)));
    if (buffer_insert(request->reply->out, start, front.data, front.len) != 0)
        request->reply->overflow = true;
}
