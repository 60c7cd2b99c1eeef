/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A member of a sorted set with its score, in one allocation.
 *
 * What: a head byte, the score, the length where the head cannot hold it, the member's bytes:
 *
 *         head 1 | score 7 or 8 | long length 4? | member
 *
 *       A score that is an integer of at most 56 bits takes 7 bytes, any other 8: most scores are
 *       integers, and a 16-byte member then fills exactly three words.
 * Always: the order of the items of a sorted set is that of scored_compare. A score is never NaN;
 *         -0.0 stays apart from 0.0 in what is kept and shown, but they are equal in order.
 * Owner: whoever called scored_new. Lock: the caller's. Errors: none.
 */
#ifndef KN_DS_SCORED_H
#define KN_DS_SCORED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/heap.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the head byte is the lowest byte of the first word: written for little-endian machines"
#endif

struct scored {
    uint64_t word; /* head in the lowest byte; an integer score in the others */
    unsigned char rest[];
};

enum { SCORED_INTEGER = 0x80, SCORED_LENGTH = 0x7f };

/* member.len must fit 32 bits. */
struct scored *scored_new(struct heap *heap, double score, struct bytes member);
/* user: as in heap_give. */
void scored_free(struct heap *user, struct scored *item);
/* Bytes that it was taken with. */
size_t scored_size(const struct scored *item);
/* Writes the score where it is, if it takes as many bytes as the present one
 * does; says whether it did. */
bool scored_set_score(struct scored *item, double score);

static inline double scored_score(const struct scored *item) {
    double score;
    if (item->word & SCORED_INTEGER) return (double)((int64_t)item->word >> 8);
    memcpy(&score, (const char *)item + 1, sizeof score);
    return score;
}

static inline struct bytes scored_member(const struct scored *item) {
    const char *data = (const char *)item + (item->word & SCORED_INTEGER ? 8 : 9);
    uint32_t len = item->word & SCORED_LENGTH;
    if (len == SCORED_LENGTH) {
        memcpy(&len, data, sizeof len);
        data += sizeof len;
    }
    return bytes_make(data, len);
}

/* By score, then by member. */
static inline int scored_compare(const struct scored *a, const struct scored *b) {
    double x = scored_score(a), y = scored_score(b);
    if (x != y) return x < y ? -1 : 1;
    return bytes_compare(scored_member(a), scored_member(b));
}

#endif
