/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files that read values share, for nobody else.
 */
#ifndef KN_PERSIST_VALUE_INSIDE_H
#define KN_PERSIST_VALUE_INSIDE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "persist/packed.h"
#include "persist/value.h"
#include "types/stream.h"

/* A value on its way in. */
struct value_source {
    struct rdb_reader *in;
    struct heap *heap;
    struct rdb_text text[2]; /* for two strings at a time */
};

/* Reads a string that holds a zipmap, ziplist or listpack; its views last while
 * text[0] is not used again. */
bool read_packed(struct value_source *source, enum packed_form form, struct packed *ret_packed);
/* After a walk over all of it: whether it was whole, and had anything in it. */
static inline bool packed_was_whole(struct value_source *source, const struct packed *packed) {
    return (!packed->bad && packed->count > 0) || rdb_bad(source->in);
}

/* How many elements are announced: none is damage. */
bool read_count(struct value_source *source, uint64_t *ret_count);
/* As many of them as can be there, as far as one can see. */
static inline size_t believable(const struct value_source *source, uint64_t count) {
    size_t left = rdb_left(source->in);
    return count < left ? (size_t)count : left;
}

/* These add to an empty value, and return false for damage; what was added is
 * then freed by the caller. */
struct hash;
struct list;
struct set;
struct zset;
bool read_list(struct value_source *source, unsigned code, struct list *list);
bool read_set(struct value_source *source, unsigned code, struct set *set);
bool read_zset(struct value_source *source, unsigned code, struct zset *zset);
bool read_hash(struct value_source *source, unsigned code, struct hash *hash);
bool read_stream(struct value_source *source, unsigned code, struct stream *stream);

void write_stream(struct rdb_writer *writer, unsigned code, const struct stream *stream);

/* ---- identifiers of a stream, as bytes that are in their order ---- */

enum { STREAM_ID_BYTES = 16 };

static inline void stream_id_encode(struct stream_id id, unsigned char out[STREAM_ID_BYTES]) {
    uint64_t big[2] = {htobe64(id.ms), htobe64(id.seq)};
    memcpy(out, big, sizeof big);
}

static inline struct stream_id stream_id_decode(const unsigned char bytes[STREAM_ID_BYTES]) {
    uint64_t big[2];
    memcpy(big, bytes, sizeof big);
    return (struct stream_id){be64toh(big[0]), be64toh(big[1])};
}

#endif
