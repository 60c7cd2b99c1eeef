/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runs of a sparse HyperLogLog, for the files that implement it.
 *
 * Always: hll_run_at reads no byte behind the string; a run has a span of 1 at least.
 * Owner, lock: as hyperloglog.h. Errors: false at the end, and where a run is cut off.
 */
#ifndef KN_TYPES_HYPERLOGLOG_INSIDE_H
#define KN_TYPES_HYPERLOGLOG_INSIDE_H

#include "types/hyperloglog.h"

enum {
    RUN_VALUE_MAX = 32,     /* a greater value has no run */
    RUN_VALUE_SPAN_MAX = 4, /* registers of a run with a value */
    RUN_ZERO_SPAN_MAX = 64, /* of a run of zeros that takes one byte */
};

struct hll_run {
    unsigned span; /* registers */
    uint8_t value; /* 0: a run of zeros */
    uint8_t bytes; /* that it takes */
};

static inline bool hll_run_at(struct bytes string, size_t at, struct hll_run *ret_run) {
    if (at >= string.len) return false;
    uint8_t byte = (uint8_t)string.data[at];
    if (byte & 0x80) {
        *ret_run = (struct hll_run){(byte & 3u) + 1, (uint8_t)((byte >> 2 & 31) + 1), 1};
    } else if (!(byte & 0x40)) {
        *ret_run = (struct hll_run){(byte & 63u) + 1, 0, 1};
    } else {
        if (at + 1 >= string.len) return false;
        unsigned low = (uint8_t)string.data[at + 1];
        *ret_run = (struct hll_run){((byte & 63u) << 8 | low) + 1, 0, 2};
    }
    return true;
}

/* Which register an element counts in, and the value it asks for there. */
void hll_place(struct bytes element, unsigned *ret_index, uint8_t *ret_value);

/* ---- dense registers, behind the header (hyperloglog_dense.c does all of them at once) ---- */

/* Raises each of `max` to its register. */
void hll_dense_merge(const uint8_t *registers, uint8_t max[HLL_REGISTERS]);
void hll_dense_pack(uint8_t *registers, const uint8_t values[HLL_REGISTERS]);

static inline uint8_t hll_dense_get(const uint8_t *registers, unsigned index) {
    unsigned byte = index * 6 / 8, shift = index * 6 % 8;
    unsigned two = registers[byte];
    /* The last register ends with the last byte. */
    if (shift > 2) two |= (unsigned)registers[byte + 1] << 8;
    return two >> shift & 63;
}

static inline void hll_dense_set(uint8_t *registers, unsigned index, uint8_t value) {
    unsigned byte = index * 6 / 8, shift = index * 6 % 8;
    registers[byte] = (uint8_t)((registers[byte] & ~(63u << shift)) | (unsigned)value << shift);
    if (shift > 2) {
        unsigned kept = registers[byte + 1] & ~(63u >> (8 - shift));
        registers[byte + 1] = (uint8_t)(kept | (unsigned)value >> (8 - shift));
    }
}

#endif
