/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes come in eight forms, four of them with lifetimes of fields:
 *
 *   HASH_METADATA         first expiry 8 | count | { expiry - first + 1, or 0 | field | value }...
 *   HASH_METADATA_OLD     count | { expiry, or 0 | field | value }...
 *   HASH_LISTPACK_EX      first expiry 8 | listpack of { field, value, expiry or 0 }...
 *   HASH_LISTPACK_EX_OLD  the same without the first expiry
 *   Valkey's HASH_2       count | { field | value | expiry 8, or -1: none }...
 *
 * where all but the expiries of 8 bytes are lengths, strings and integers as elsewhere.
 */
#include "persist/format.h"
#include "persist/value_inside.h"
#include "types/hash.h"

/* Fields are set as if none had expired: one that has is not taken for one that is not there. */
#define BEFORE_ALL_TIME INT64_MIN

static bool add_field(struct value_source *source, struct hash *hash, struct bytes field,
                      struct bytes value, int64_t expires_ms) {
    return hash_set(hash, field, value, BEFORE_ALL_TIME, expires_ms) || rdb_bad(source->in);
}

/* ---- in one piece ---- */

static bool read_packed_hash(struct value_source *source, enum packed_form form, bool lifetimes,
                             struct hash *hash) {
    struct packed packed;
    struct packed_item field, value, expiry;
    char scratch[2][NUMBER_I64_MAX];
    if (!read_packed(source, form, &packed)) return false;
    while (packed_next(&packed, &field)) {
        int64_t expires_ms = HASH_NO_EXPIRY;
        if (!packed_next(&packed, &value)) return rdb_bad(source->in);
        if (lifetimes) {
            if (!packed_next(&packed, &expiry) || !packed_integer(&expiry, &expires_ms) ||
                expires_ms < 0 || expires_ms == HASH_NO_EXPIRY)
                return rdb_bad(source->in);
            if (expires_ms == 0) expires_ms = HASH_NO_EXPIRY;
        }
        if (!add_field(source, hash, packed_text(&field, scratch[0]),
                       packed_text(&value, scratch[1]), expires_ms))
            return false;
    }
    return packed_was_whole(source, &packed);
}

/* ---- field by field ---- */

enum lifetime { LIFETIME_NONE, LIFETIME_DISTANCE, LIFETIME_ABSOLUTE, LIFETIME_BEHIND };

/* Before the field, as a length; first_ms is what a distance counts from. */
static bool read_lifetime(struct value_source *source, uint64_t first_ms, int64_t *ret_expires_ms) {
    uint64_t value;
    if (!rdb_read_length(source->in, &value)) return false;
    if (value == 0) {
        *ret_expires_ms = HASH_NO_EXPIRY;
        return true;
    }
    if (value >= INT64_MAX || value + first_ms >= INT64_MAX) return rdb_bad(source->in);
    *ret_expires_ms = (int64_t)(value + first_ms);
    return true;
}

/* Behind the value, in 8 bytes. */
static bool read_lifetime_behind(struct value_source *source, int64_t *ret_expires_ms) {
    int64_t value;
    if (!rdb_read_ms(source->in, &value)) return false;
    if (value < -1 || value == HASH_NO_EXPIRY) return rdb_bad(source->in);
    *ret_expires_ms = value == -1 ? HASH_NO_EXPIRY : value;
    return true;
}

static bool read_fields(struct value_source *source, enum lifetime lifetime, struct hash *hash) {
    uint64_t count;
    int64_t first_ms = 0;
    struct bytes field, value;
    struct rdb_reader *in = source->in;
    if (lifetime == LIFETIME_DISTANCE) {
        if (!rdb_read_ms(in, &first_ms)) return false;
        if (first_ms < 0 || first_ms == HASH_NO_EXPIRY) return rdb_bad(in);
        /* Distances are written with one added; -1 is then UINT64_MAX, and wraps back. */
        first_ms--;
    }
    if (!read_count(source, &count)) return false;
    for (; count > 0; count--) {
        int64_t expires_ms = HASH_NO_EXPIRY;
        if ((lifetime == LIFETIME_DISTANCE || lifetime == LIFETIME_ABSOLUTE) &&
            !read_lifetime(source, (uint64_t)first_ms, &expires_ms))
            return false;
        if (!rdb_read_string(in, &source->text[0], &field) ||
            !rdb_read_string(in, &source->text[1], &value))
            return false;
        if (lifetime == LIFETIME_BEHIND && !read_lifetime_behind(source, &expires_ms)) return false;
        if (!add_field(source, hash, field, value, expires_ms)) return false;
    }
    return true;
}

bool read_hash(struct value_source *source, unsigned code, struct hash *hash) {
    int64_t unused;
    bool valkey = source->in->version >= RDB_VERSION_VALKEY;
    if (code == RDB_VALKEY_HASH_2 && valkey) return read_fields(source, LIFETIME_BEHIND, hash);
    switch (code) {
    case RDB_HASH: return read_fields(source, LIFETIME_NONE, hash);
    case RDB_HASH_METADATA_OLD: return read_fields(source, LIFETIME_ABSOLUTE, hash);
    case RDB_HASH_METADATA: return read_fields(source, LIFETIME_DISTANCE, hash);
    case RDB_HASH_ZIPMAP: return read_packed_hash(source, PACKED_ZIPMAP, false, hash);
    case RDB_HASH_ZIPLIST: return read_packed_hash(source, PACKED_ZIPLIST, false, hash);
    case RDB_HASH_LISTPACK: return read_packed_hash(source, PACKED_LISTPACK, false, hash);
    case RDB_HASH_LISTPACK_EX_OLD: return read_packed_hash(source, PACKED_LISTPACK, true, hash);
    default: /* RDB_HASH_LISTPACK_EX: each field has its expiry, the first of them is of no use */
        return rdb_read_ms(source->in, &unused) &&
               read_packed_hash(source, PACKED_LISTPACK, true, hash);
    }
}
