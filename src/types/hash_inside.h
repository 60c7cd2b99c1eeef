/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of hashes, for types/hash*.c only.
 *
 * What: the two bodies of a hash, and the layout of a field in a table:
 *
 *         flags 1 | expiry 8? | field length 1 or 8 | value length 1 or 8 | field | value
 *
 * Always: a field in the table carries FIELD_MARK_EXPIRES exactly if it has an expiry, and its
 *         segment's due hint is then not later than that.
 */
#ifndef KN_TYPES_HASH_INSIDE_H
#define KN_TYPES_HASH_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "ds/pack.h"
#include "ds/table.h"
#include "types/hash.h"

struct hash_fields {
    struct table table;
    size_t bytes;        /* of the fields */
    size_t expiring;     /* fields that have an expiry */
    int64_t next_expiry; /* a lower bound; HASH_NO_EXPIRY when expiring is 0 */
};

/* The body is a pack, or a table with the lowest bit set: two words for a small hash. */
struct hash {
    struct heap *heap;
    uintptr_t body;
};

enum { HASH_BODY_TABLE = 1 };

static inline bool hash_is_table(const struct hash *hash) {
    return (hash->body & HASH_BODY_TABLE) != 0;
}

static inline struct hash_fields *hash_table_of(const struct hash *hash) {
    kn_assert(hash_is_table(hash));
    return (struct hash_fields *)(hash->body - HASH_BODY_TABLE);
}

static inline struct pack *hash_pack_of(const struct hash *hash) {
    kn_assert(!hash_is_table(hash));
    return (struct pack *)hash->body;
}

static inline bool hash_is_expired(int64_t expires_ms, int64_t now_ms) {
    return expires_ms < now_ms;
}

/* Might any field have expired? */
static inline bool hash_has_expired(const struct hash *hash, int64_t now_ms) {
    return hash_is_table(hash) && hash_is_expired(hash_table_of(hash)->next_expiry, now_ms);
}

/* ---- one field in a table ---- */

enum {
    FIELD_EXPIRES = 1,
    FIELD_LONG_NAME = 2,
    FIELD_LONG_VALUE = 4,
    FIELD_MARK_EXPIRES = TABLE_MARK_1
};

struct hash_field {
    struct bytes name, value;
    int64_t expires_ms;
};

static inline size_t hash_field_size(const struct hash_field *field) {
    return 1 + (field->expires_ms == HASH_NO_EXPIRY ? 0 : 8) +
           (field->name.len > UINT8_MAX ? 8 : 1) + (field->value.len > UINT8_MAX ? 8 : 1) +
           field->name.len + field->value.len;
}

static inline void hash_field_read(const void *element, struct hash_field *ret_field) {
    const unsigned char *at = element;
    unsigned flags = *at++;
    ret_field->expires_ms = HASH_NO_EXPIRY;
    if (flags & FIELD_EXPIRES) {
        memcpy(&ret_field->expires_ms, at, 8);
        at += 8;
    }
    size_t lengths[2];
    for (unsigned i = 0; i < 2; i++) {
        if (flags & (FIELD_LONG_NAME << i)) {
            memcpy(&lengths[i], at, 8);
            at += 8;
        } else {
            lengths[i] = *at++;
        }
    }
    ret_field->name = bytes_make(at, lengths[0]);
    ret_field->value = bytes_make(at + lengths[0], lengths[1]);
}

#endif
