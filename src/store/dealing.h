/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key that a thread dealt with last.
 *
 * What: a write is counted, and looked at by the catalog's rules, after it happened, when its entry
 *       may be gone; to match or find the name once more would cost more than all the counting.
 * Always: kept only while catalogs are in force. The entry is the one that the keyspace has, for as
 *         long as the key's shard is held.
 * Owner: the store writes it. Lock: it is the thread's own. Errors: none.
 */
#ifndef KN_STORE_DEALING_H
#define KN_STORE_DEALING_H

#include <stdbool.h>
#include <stdint.h>

#include "store/entry.h"

struct store_dealing {
    uint64_t hash;       /* of the key */
    struct entry *entry; /* NULL when it has gone since */
    uint32_t db;
    uint16_t gone_id; /* then: the id that it had */
    bool changed;     /* it came, or its type, size or expiry is another */
    bool is_new;
};

extern _Thread_local struct store_dealing store_dealing;

/* The keys that came meanwhile, by their hashes. */
enum { DEALING_CAME_MAX = 64 };
struct store_came {
    uint32_t count; /* of those that are kept; more may have come */
    uint64_t hashes[DEALING_CAME_MAX];
};

extern _Thread_local struct store_came store_came;

/* A command begins: its dealings are to be told from those before. */
static inline void store_begin_dealing(void) {
    store_dealing = (struct store_dealing){0};
    store_came.count = 0;
}

static inline bool store_has_come(uint64_t hash) {
    uint32_t i = 0;
    while (i < store_came.count && store_came.hashes[i] != hash) i++;
    return i < store_came.count || store_came.count == DEALING_CAME_MAX;
}

static inline uint16_t store_dealing_id(void) {
    return store_dealing.entry ? store_dealing.entry->pattern : store_dealing.gone_id;
}

#endif
