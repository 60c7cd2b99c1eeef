/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records in the order of stream identifiers: a B+tree of small records of one size, each
 * beginning with its identifier.
 *
 * What: made for identifiers that mostly grow: adding behind the last record fills leaves wholly,
 *       and taking the first records out frees leaf after leaf. A stream's blocks, a group's and a
 *       consumer's pending entries are kept in such trees.
 * Always: identifiers ascend, none twice. home->bytes counts what the tree occupies.
 * Owner: the tree owns its nodes, taken from home->heap; the records' meaning is the caller's. A
 *        pointer to a record, and a cursor, are good until a record is next added or removed.
 * Lock: the caller's. Errors: none; NULL where there is no such record.
 */
#ifndef KN_DS_IDTREE_H
#define KN_DS_IDTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ds/stream_id.h"

struct heap;
struct idtree_leaf;

/* Where several trees take their memory from, and the sum of it. */
struct idtree_home {
    struct heap *heap; /* NULL: nothing is taken any more, only given back, by any thread */
    size_t bytes;
};

enum { IDTREE_RECORD_MAX = 128 };

struct idtree {
    void *root; /* NULL when empty */
    struct idtree_leaf *first, *last;
    uint64_t count;
    uint32_t nodes;        /* leaves and those above them */
    uint16_t record_bytes; /* a multiple of 8, the identifier's 16 included */
    uint16_t height;       /* levels above the leaves */
};

void idtree_init(struct idtree *tree, size_t record_bytes);
void idtree_done(struct idtree *tree, struct idtree_home *home);
/* copy: not initialised. The records are copied as bytes. */
void idtree_copy(const struct idtree *tree, struct idtree *copy, struct idtree_home *home);

/* The record of this identifier. */
void *idtree_find(const struct idtree *tree, struct stream_id id);
/* The record of this identifier, made when there is none: of a new one
 * only the identifier is set. */
void *idtree_add(struct idtree *tree, struct idtree_home *home, struct stream_id id, bool *ret_new);
/* False when there was none. */
bool idtree_remove(struct idtree *tree, struct idtree_home *home, struct stream_id id);

/* ---- walking: each returns the record, or NULL when there is none ---- */

struct idtree_cursor {
    const struct idtree *tree;
    struct idtree_leaf *leaf;
    uint32_t index;
};

void *idtree_first(const struct idtree *tree, struct idtree_cursor *cursor);
void *idtree_last(const struct idtree *tree, struct idtree_cursor *cursor);
/* The first record whose identifier is id or greater. */
void *idtree_seek(const struct idtree *tree, struct stream_id id, struct idtree_cursor *cursor);
/* The last record whose identifier is id or less. */
void *idtree_seek_back(const struct idtree *tree, struct stream_id id,
                       struct idtree_cursor *cursor);
/* To the neighbour of a record that the cursor stands on. */
void *idtree_next(struct idtree_cursor *cursor);
void *idtree_previous(struct idtree_cursor *cursor);

/* Proves the invariants, and returns the bytes that the nodes occupy; for tests. */
size_t idtree_check(const struct idtree *tree);

#endif
