/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: entries of fields and values in the order of their identifiers,
 *          and groups that read them.
 *
 * What: entries lie in blocks of neighbours, which share the names of their fields; a tree finds
 *       the block of an identifier. Consumer groups are in stream_group.h.
 * Always: an entry's identifier is greater than those of all before it, and no greater
 *         than the last identifier. A stream without entries is still a stream.
 *         stream_bytes is what is allocated.
 * Owner: the stream owns copies of its entries. Texts that it hands out are views that last until
 *        its next change, or until the iterator goes on.
 * Lock: the caller's. Errors: ERROR_TOO_BIG for an entry beyond STREAM_ENTRY_MAX; false
 *       where there is no such entry.
 */
#ifndef KN_TYPES_STREAM_H
#define KN_TYPES_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ds/idtree.h"
#include "ds/stream_id.h"

struct heap;
struct stream;
struct stream_block;

enum { STREAM_ENTRY_MAX = 1 << 30, STREAM_BLOCK_MAX = 256 * 1024, STREAM_SCRATCH = 24 };

struct stream *stream_new(struct heap *heap);
void stream_free(struct stream *stream);
struct stream *stream_copy(const struct stream *stream, struct heap *heap);
/* From now on it takes from and gives to this heap; NULL: it will only be freed, by any thread. */
void stream_rehome(struct stream *stream, struct heap *heap);

size_t stream_count(const struct stream *stream);
size_t stream_bytes(const struct stream *stream);
size_t stream_free_cost(const struct stream *stream);

/* ---- what a stream remembers ---- */

struct stream_facts {
    struct stream_id last_id;     /* of the entry added last, or more */
    struct stream_id max_deleted; /* the greatest identifier that was deleted; 0-0: none */
    uint64_t entries_added;       /* since the stream was made */
};
const struct stream_facts *stream_facts(const struct stream *stream);
/* For XSETID, and for building a stream up again once its entries are in it. last_id is
 * not below the last entry's. */
void stream_set_facts(struct stream *stream, const struct stream_facts *facts);
/* Of the first entry that is there; 0-0 when there is none. */
struct stream_id stream_first_id(const struct stream *stream);
/* Blocks, and nodes of the tree over them: what XINFO STREAM calls radix-tree-keys and -nodes. */
void stream_shape(const struct stream *stream, size_t *ret_blocks, size_t *ret_nodes);

/* ---- adding ---- */

/* pairs: a name and a value for each of `count` fields, one at least. id is greater than the last
 * identifier, which it becomes; entries_added grows by 1. */
int stream_add(struct stream *stream, struct stream_id id, const struct bytes *pairs, size_t count)
    __attribute__((warn_unused_result));

/* ---- reading ---- */

enum { STREAM_WINDOW = 32 };

/* Walks a range of identifiers, ends included, forwards or backwards. The stream
 * must not change meanwhile. */
struct stream_iter {
    struct stream_id from, to;
    bool backward;
    struct idtree_cursor place;
    const struct stream_block *block; /* NULL: over */
    uint32_t at; /* forward: of the next entry; backward: where the rest ends */
    /* Backward: offsets of the entries that come next, from the end. */
    uint32_t window[STREAM_WINDOW];
    uint32_t window_count;
    const uint8_t *names, *values; /* of the fields that are left */
    char scratch[2][STREAM_SCRATCH];
};
void stream_iter_init(struct stream_iter *iter, const struct stream *stream, struct stream_id from,
                      struct stream_id to, bool backward);
/* The next entry; its fields are then to be had one after the other. */
bool stream_iter_next(struct stream_iter *iter, struct stream_id *ret_id, size_t *ret_fields);
/* To be called once for each field at most. The views last until the next call. */
void stream_iter_field(struct stream_iter *iter, struct bytes *ret_name, struct bytes *ret_value);

bool stream_has(const struct stream *stream, struct stream_id id);

/* ---- taking out: groups are left as they are ---- */

bool stream_delete(struct stream *stream, struct stream_id id);

/* What becomes of the references that groups hold to entries that are trimmed or deleted. */
enum stream_refs {
    STREAM_KEEP_REFS,   /* they stay */
    STREAM_DELETE_REFS, /* they go too */
    STREAM_ACKED_ONLY,  /* only entries go that every group has read and acknowledged */
};

struct stream_trim {
    bool by_id;        /* entries below `min_id` go; or as many as exceed `keep` */
    bool whole_blocks; /* "~": only blocks that go as a whole */
    uint64_t keep;     /* entries */
    struct stream_id min_id;
    uint64_t most; /* with whole_blocks: entries that may go; 0: any number */
    enum stream_refs refs;
};
/* Returns how many entries went. */
uint64_t stream_trim(struct stream *stream, const struct stream_trim *trim);

/* Proves the invariants, the groups' included; for tests. */
void stream_check(const struct stream *stream);

#endif
