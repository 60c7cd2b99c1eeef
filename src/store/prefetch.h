/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hints to the memory system about keys that will be looked up soon.
 *
 * What: the two cache misses of a look-up are its bucket and its entry. A pipeline of requests is
 *       looked at ahead of its execution, and both are asked for early.
 * Lock: none: with more than one worker they do nothing, as reading a table needs its shard.
 */
#ifndef KN_STORE_PREFETCH_H
#define KN_STORE_PREFETCH_H

#include "store/key.h"

struct store;

void store_prefetch_bucket(struct store *store, unsigned db, const struct key *key);
/* Some time after store_prefetch_bucket. */
void store_prefetch_entry(struct store *store, unsigned db, const struct key *key);

#endif
