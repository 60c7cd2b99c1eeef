/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What keys were before somebody changed them, so that it can be as if nobody had.
 *
 * What: notes keys before they are written; later puts all of them back, or forgets them.
 * Always: a key is noted once, as it was first. undo_note notes small values only, since to copy a
 *         large one for each change would cost more than it serves.
 * Owner: whoever has the struct; zeros are an empty one. It ends with undo_apply or undo_forget.
 * Lock: the shards of the noted keys are held from undo_note to the end. Errors: none.
 */
#ifndef KN_STORE_UNDO_H
#define KN_STORE_UNDO_H

#include <stdbool.h>
#include <stdint.h>

#include "store/key.h"

struct store;
struct undo_key;

enum { UNDO_KEYS_MAX = 64, UNDO_ELEMENTS_MAX = 128, UNDO_STRING_MAX = 16384 };

struct undo {
    struct undo_key *first;
    unsigned count;
};

/* False, and nothing is noted, when the value is too large or there are too many keys. */
bool undo_note(struct undo *undo, struct store *store, unsigned db, const struct key *key,
               int64_t now_ms);
/* The same of any value, whatever that costs. The keyspace goes on with a copy, so that
 * undone is undone to the byte. */
void undo_keep(struct undo *undo, struct store *store, unsigned db, const struct key *key,
               int64_t now_ms);
/* What a noted key was; NULL: not there, or not noted. */
const struct entry *undo_saved(const struct undo *undo, unsigned db, const struct key *key);
void undo_apply(struct undo *undo, struct store *store);
void undo_forget(struct undo *undo, struct store *store);

#endif
