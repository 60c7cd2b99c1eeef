/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A key's name with everything that is computed from it once per request.
 *
 * What: the name, its 64-bit hash (place in the tables), its cluster slot and its shard.
 * Owner: the name is a view; who keeps a key longer than the request copies the name.
 */
#ifndef KN_STORE_KEY_H
#define KN_STORE_KEY_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

/* Shards are neighbouring hash slots, so that a hash tag keeps its keys in one shard. */
enum { SHARD_COUNT = 256, SLOTS_PER_SHARD = SLOT_COUNT / SHARD_COUNT };

struct key {
    struct bytes name;
    uint64_t hash;
    uint16_t slot;
    uint16_t shard;
};

static inline struct key key_make(struct bytes name) {
    uint16_t slot = slot_of_key(name);
    return (struct key){name, hash_bytes(name), slot, (uint16_t)(slot / SLOTS_PER_SHARD)};
}

#endif
