/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A key and its value in the keyspace: one allocation.
 *
 * What: an 8-byte header, then only what this entry has: a pointer to its value (all types but
 *       short strings), its expiry, its key, and a short string's bytes themselves:
 *
 *         header 8 | value pointer 8? | expiry 8? | long key length 4? | key |
 *         string bytes or integer 8
 *
 *       A string is held in one of three ways: an integer (8 bytes, "int"), its bytes inline
 *       ("embstr", or "raw" once modified), or in a block of its own (struct string_block, "raw").
 * Always: an entry lies in the heap of its key's shard. Its address changes when its size does, so
 *         only store functions that return the new address change what it has.
 * Lock: the shard's.
 */
#ifndef KN_STORE_ENTRY_H
#define KN_STORE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "types/value.h"

enum entry_flag {
    ENTRY_EXPIRES = 1,  /* has an expiry */
    ENTRY_EXTERNAL = 2, /* the value is behind a pointer */
    ENTRY_INTEGER = 4,  /* a string that is an integer */
    ENTRY_RAW = 8,      /* a string that was modified in place: OBJECT ENCODING says raw */
};

/* A key's share of its table, on the average. */
enum { ENTRY_SLOT_BYTES = 9 };

enum { ENTRY_KEY_LONG = 255, ENTRY_INLINE_MAX = 255, ENTRY_EXPIRY_NONE = 0 };

struct entry {
    uint32_t access : 24;    /* LRU: seconds; LFU: minutes (16 bits) and counter (8 bits) */
    uint32_t inline_len : 8; /* bytes of an inline string */
    uint16_t pattern;        /* of the catalog; 0 is none */
    uint8_t type : 4;
    uint8_t flags : 4;
    uint8_t key_len; /* ENTRY_KEY_LONG: a 4-byte length stands before the key */
    uint8_t body[];
};

/* A string in a block of its own. */
struct string_block {
    size_t len, cap;
    char data[];
};

static inline enum value_type entry_type(const struct entry *e) {
    return (enum value_type)e->type;
}

static inline bool entry_has(const struct entry *e, unsigned flag) {
    return (e->flags & flag) != 0;
}

static inline size_t entry_expiry_offset(const struct entry *e) {
    return entry_has(e, ENTRY_EXTERNAL) ? 8 : 0;
}

static inline size_t entry_key_offset(const struct entry *e) {
    return entry_expiry_offset(e) + (entry_has(e, ENTRY_EXPIRES) ? 8 : 0) +
           (e->key_len == ENTRY_KEY_LONG ? 4 : 0);
}

static inline struct bytes entry_key(const struct entry *e) {
    const uint8_t *key = e->body + entry_key_offset(e);
    uint32_t len = e->key_len;
    if (len == ENTRY_KEY_LONG) memcpy(&len, key - 4, sizeof len);
    return bytes_make(key, len);
}

/* Milliseconds since 1970; ENTRY_EXPIRY_NONE when it has none. */
static inline int64_t entry_expiry(const struct entry *e) {
    int64_t at = ENTRY_EXPIRY_NONE;
    if (entry_has(e, ENTRY_EXPIRES)) memcpy(&at, e->body + entry_expiry_offset(e), sizeof at);
    return at;
}

/* The value of a list, set, sorted set, hash ...; for a string its block (ENTRY_EXTERNAL). */
static inline void *entry_value(const struct entry *e) {
    void *value;
    memcpy(&value, e->body, sizeof value);
    return value;
}

/* The number of an ENTRY_INTEGER string. */
static inline int64_t entry_integer(const struct entry *e) {
    struct bytes key = entry_key(e);
    int64_t number;
    memcpy(&number, key.data + key.len, sizeof number);
    return number;
}

/* Room for entry_string to write an integer in decimal. */
enum { ENTRY_SCRATCH = 24 };
/* A string's bytes; those of an integer are written to scratch. */
struct bytes entry_string(const struct entry *e, char scratch[ENTRY_SCRATCH]);
/* Length without formatting more than needed. */
size_t entry_string_len(const struct entry *e);

/* "int", "embstr", "raw", or the value's own. */
const char *entry_encoding(const struct entry *e);
/* Bytes that entry and value occupy. */
size_t entry_bytes(const struct entry *e);
/* Elements of a collection; 1 for a string. */
size_t entry_count(const struct entry *e);
/* The hash of its key: what the tables ask for. */
uint64_t entry_hash(const void *entry);

#endif
