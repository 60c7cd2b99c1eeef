/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strings as arrays of bits.
 *
 * What: single bits, counting, searching, combining, and integers of 1 to 64 bits at any
 *       place. Bit 0 is the most significant one of the first byte. What lies behind the end
 *       of a string reads as zeros.
 * Always: nothing behind the string is read or written; who writes has made it long enough.
 * Owner: the caller. Lock: the shard's that the string belongs to. Errors: none.
 */
#ifndef KN_TYPES_BITMAP_H
#define KN_TYPES_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

static inline bool bitmap_get(struct bytes string, uint64_t at) {
    uint64_t byte = at / 8;
    return byte < string.len && ((uint8_t)string.data[byte] >> (7 - at % 8) & 1);
}

/* Returns what it was before. */
static inline bool bitmap_set(char *string, uint64_t at, bool on) {
    uint8_t mask = (uint8_t)(0x80 >> at % 8), before = (uint8_t)string[at / 8];
    string[at / 8] = (char)(on ? before | mask : before & ~mask);
    return before & mask;
}

/* Bits that are set from `first` to `last`, which lie within the string. */
uint64_t bitmap_count(struct bytes string, uint64_t first, uint64_t last);
/* The first bit of this kind from `first` to `last`, which lie within the
 * string; -1 when there is none. */
int64_t bitmap_find(struct bytes string, bool bit, uint64_t first, uint64_t last);

/* ---- several of them ---- */

enum bitmap_operation {
    BITMAP_AND,
    BITMAP_OR,
    BITMAP_XOR,
    BITMAP_NOT,           /* of one source */
    BITMAP_FIRST_ONLY,    /* DIFF: in the first and in none of the others */
    BITMAP_OTHERS_ONLY,   /* DIFF1: in one of the others and not in the first */
    BITMAP_FIRST_AND_ANY, /* ANDOR: in the first and in one of the others */
    BITMAP_EXACTLY_ONE,   /* ONE: in one source and no other */
};

/* out: as long as the longest source, and none of them. count: at least 1. */
void bitmap_combine(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                    char *out, size_t len);

/* ---- integers of some bits ---- */

struct bitmap_field {
    uint64_t at; /* its first bit, the most significant */
    uint8_t bits;
    bool is_signed; /* up to 64 bits; up to 63 without a sign */
};

int64_t bitmap_read_field(struct bytes string, struct bitmap_field field);
/* The low bits of value. */
void bitmap_write_field(char *string, struct bitmap_field field, int64_t value);

enum bitmap_overflow { BITMAP_WRAP, BITMAP_SATURATE, BITMAP_FAIL };

/* value + by as the field can hold it; false when it cannot and that is a failure. */
bool bitmap_fit_field(struct bitmap_field field, int64_t value, int64_t by,
                      enum bitmap_overflow overflow, int64_t *ret_value);

#endif
