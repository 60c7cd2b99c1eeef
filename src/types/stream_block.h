/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A block of a stream: neighbouring entries in one allocation, which share
 * what they have in common.
 *
 * What: of use to the files of the stream alone. stream_block.c describes the layout.
 * Always: entries ascend; all are greater than or equal to the block's base identifier.
 * Owner: the stream, whose home counts the bytes. An offset and a view are good
 *        until the block next changes.
 * Lock: the caller's. Errors: none.
 */
#ifndef KN_TYPES_STREAM_BLOCK_H
#define KN_TYPES_STREAM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ds/idtree.h"
#include "ds/stream_id.h"

struct stream_block {
    struct stream_id base; /* of the first entry that was ever in it */
    uint32_t cap;          /* bytes allocated */
    uint32_t shapes_end;   /* offset behind the shapes */
    uint32_t first;        /* offset of the first entry */
    uint32_t end;          /* offset behind the last */
    uint16_t count;        /* of entries */
    uint16_t added;        /* of entries that ever were in it */
    uint8_t shapes;        /* lists of names that entries share */
    uint8_t last_shape;    /* of the entry added last */
    uint8_t data[];
};

enum { STREAM_BLOCK_HEAD = offsetof(struct stream_block, data), STREAM_TEXT_MAX = 24 };

/* As many bytes as an entry takes at most, with its names. */
size_t stream_entry_room(const struct bytes *pairs, size_t count);

struct stream_block *stream_block_new(struct idtree_home *home, struct stream_id base, size_t room);
void stream_block_free(struct stream_block *block, struct idtree_home *home);
struct stream_block *stream_block_copy(const struct stream_block *block, struct idtree_home *home);
size_t stream_block_bytes(const struct stream_block *block);
/* Gives back what the block will not use any more. Returns its new address. */
struct stream_block *stream_block_fit(struct stream_block *block, struct idtree_home *home);

/* Is there room for an entry in a block that may grow to max_bytes? */
bool stream_block_takes(const struct stream_block *block, size_t room, size_t max_bytes);
/* Adds an entry behind the last; pairs: a name and a value for each of its `count` fields.
 * want_bytes: what to grow to if the block has to. Returns its new address. */
struct stream_block *stream_block_add(struct stream_block *block, struct idtree_home *home,
                                      struct stream_id id, const struct bytes *pairs, size_t count,
                                      size_t room, size_t want_bytes);

/* The offset of the first entry that is not less than id; block->end when there is none. */
uint32_t stream_block_seek(const struct stream_block *block, struct stream_id id,
                           struct stream_id *ret_id);
uint32_t stream_block_next(const struct stream_block *block, uint32_t at);
struct stream_id stream_block_id(const struct stream_block *block, uint32_t at);
/* Takes the entry at an offset out. Returns the block's new address. */
struct stream_block *stream_block_delete(struct stream_block *block, struct idtree_home *home,
                                         uint32_t at);

/* The fields of an entry, one after the other. */
struct stream_fields {
    const uint8_t *names, *values; /* names NULL: each stands before its value */
    size_t count;
};
/* Reads an entry, and returns where the next one is. */
uint32_t stream_block_read(const struct stream_block *block, uint32_t at, struct stream_id *ret_id,
                           struct stream_fields *ret_fields);

/* Reads a text, or a number into the scratch, and moves on behind it. */
struct bytes stream_item_read(const uint8_t **at, char scratch[STREAM_TEXT_MAX]);

/* Proves the invariants; for tests. */
void stream_block_check(const struct stream_block *block);

#endif
