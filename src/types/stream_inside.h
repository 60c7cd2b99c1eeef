/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stream is made of: for the files of the stream alone.
 *
 * Always: a block's record in the tree has the block's base as its identifier; no block is empty.
 *         home.bytes counts everything, this struct included.
 * Owner, lock, errors: as in types/stream.h.
 */
#ifndef KN_TYPES_STREAM_INSIDE_H
#define KN_TYPES_STREAM_INSIDE_H

#include "types/stream.h"
#include "types/stream_block.h"
#include "types/stream_group.h"

/* A record of the tree over the blocks. */
struct stream_place {
    struct stream_id base;
    struct stream_block *block;
};

struct stream {
    struct idtree_home home;
    struct idtree blocks; /* struct stream_place */
    uint64_t count;       /* entries */
    struct stream_facts facts;
    struct stream_id first_id;
    struct stream_group **groups; /* by name */
    uint32_t group_count, group_cap;
};

/* Takes memory of the stream, and gives it back. */
void *stream_take(struct stream *stream, size_t size);
void stream_give(struct stream *stream, void *object, size_t size);

void stream_groups_free(struct stream *stream);
void stream_groups_copy(const struct stream *stream, struct stream *copy);
/* Returns the bytes that the groups occupy. */
size_t stream_groups_check(const struct stream *stream);

#endif
