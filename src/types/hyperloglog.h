/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyperLogLog: how many different elements there were, to about 0.8 %, in 12 KB at most.
 *
 * What: a string that is a HyperLogLog, in the format that Redis gives it, so that such strings
 *       travel. A header of 16 bytes: "HYLL", the encoding (0 dense, 1 sparse), three zeros, and
 *       the last estimate as 8 bytes, little endian, its highest bit set when it no longer holds.
 *       Then 16384 registers of 6 bits:
 *         dense   packed, the lowest bits first
 *         sparse  runs: 00nnnnnn        n + 1 zeros
 *                       01nnnnnn nnnnnnnn  n + 1 zeros
 *                       1vvvvvnn        n + 1 registers of value v + 1
 * Always: these functions bear strings of any content; what is no HyperLogLog, or a
 *         damaged one, is said to be so.
 * Owner: the caller. Lock: the shard's that the string belongs to. Errors: as each function says.
 * Source: Flajolet et al., "HyperLogLog"; Ertl, "New cardinality estimation algorithms
 *         for HyperLogLog sketches".
 */
#ifndef KN_TYPES_HYPERLOGLOG_H
#define KN_TYPES_HYPERLOGLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buffer;

enum {
    HLL_REGISTERS = 16384,
    HLL_HEADER_BYTES = 16,
    HLL_DENSE_BYTES = HLL_HEADER_BYTES + HLL_REGISTERS * 6 / 8,
    /* A sparse one that is longer has runs for more registers than there are. */
    HLL_SPARSE_BYTES_MAX = HLL_HEADER_BYTES + HLL_REGISTERS * 2,
    /* Room for one that is worked on. */
    HLL_ROOM_BYTES = HLL_SPARSE_BYTES_MAX + 8,
};

/* Whether the header is one, and a dense one has its length. What follows may still be damaged. */
bool hll_recognise(struct bytes string);
/* For what was recognised. */
bool hll_is_dense(struct bytes string);

/* ---- counting ---- */

/* The estimate kept in the header; false when it does not hold any more. */
bool hll_kept_estimate(struct bytes string, uint64_t *ret_count);
void hll_keep_estimate(char *string, uint64_t count);

/* Raises each register of `max` to what the string has; false when it is damaged. */
bool hll_merge(struct bytes string, uint8_t max[HLL_REGISTERS]);
uint64_t hll_estimate(const uint8_t registers[HLL_REGISTERS]);

/* ---- changing ---- */

/* A string that is being changed: a dense one where it lies, a sparse one in room for
 * HLL_ROOM_BYTES, since it may grow and become dense. */
struct hll {
    char *bytes;
    size_t len;
};

enum hll_outcome { HLL_SAME, HLL_CHANGED, HLL_DAMAGED };

/* Without elements; bytes has the room. */
void hll_init(struct hll *hll);
/* What was DAMAGED may have been changed in part. */
enum hll_outcome hll_add(struct hll *hll, struct bytes element);
/* Raises one register. */
enum hll_outcome hll_raise(struct hll *hll, unsigned index, uint8_t value);
/* Raises all of them to values that include what they were, as hll_merge collects it;
 * false when it is damaged. */
bool hll_raise_all(struct hll *hll, const uint8_t values[HLL_REGISTERS]);
/* False when it is damaged. */
bool hll_make_dense(struct hll *hll);
/* Says that the estimate in the header does not hold any more. */
void hll_forget_estimate(struct hll *hll);

/* ---- for people ---- */

/* The runs of a sparse one, as PFDEBUG DECODE writes them; false when out is
 * full or the string damaged. */
bool hll_describe(struct bytes string, struct buffer *out);
/* Whether both encodings agree with each other and the estimates with the truth. */
bool hll_self_test(void);

#endif
