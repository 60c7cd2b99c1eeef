/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples, and what they say of the whole.
 *
 * What: a sample keeps the keys whose hashes are the lowest: of whatever came, in whatever order
 *       and however often, a uniform choice without repetition. Whether a key belongs to it is
 *       known when the key comes, so it is measured at once, and only what was measured is kept.
 *       Estimates come with the interval that holds the truth in 95 of 100 cases.
 * Always: a sample has at most its room of members; one with a limit of 0 keeps
 *         sums only, of everything.
 * Owner: sample_done. Lock: none. Errors: none.
 * Source: Wilson's interval for shares (1927), with the correction for finite
 *         populations; Student's for totals.
 */
#ifndef KN_CLI_SAMPLE_H
#define KN_CLI_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/model.h"

/* What may be true of a key that was measured. */
enum trait {
    TRAIT_VANISHED, /* gone between SCAN and TYPE */
    TRAIT_REFUSED,  /* the user may not look at it */
    TRAIT_WRONG_TYPE,
    TRAIT_IMMORTAL, /* has no lifetime */
    TRAIT_TOO_LONG, /* has more of it left than the catalog allows */
    TRAIT_ELEMENTS, /* has more elements, or a larger value, than the catalog allows */
    TRAIT_VALUE_SIZE,
    TRAITS
};

/* How much of a lifetime is left, for a histogram. */
enum span {
    SPAN_NONE,
    SPAN_MINUTE,
    SPAN_HOUR,
    SPAN_DAY,
    SPAN_WEEK,
    SPAN_MONTH,
    SPAN_LONGER,
    SPAN_UNKNOWN,
    SPANS
};
extern const char *const span_names[SPANS];
enum span span_of(int64_t left_ms);

enum { SAMPLE_TYPES = PATTERN_TYPES }; /* PATTERN_TYPE_UNSTATED: unknown, or a module's */

struct measure {
    uint64_t hash, bytes;
    uint32_t name_len;
    uint16_t traits; /* 1 << TRAIT_... */
    uint8_t type, span;
};

struct sums {
    uint64_t measured; /* without those refused */
    uint64_t traits[TRAITS], types[SAMPLE_TYPES], spans[SPANS];
    double bytes;
    double beyond, beyond_squared; /* bytes beyond those of the name */
    uint64_t bytes_most;
};

struct sample {
    struct measure *members; /* a heap, the highest hash first */
    size_t count, room, limit;
    struct sums all; /* with a limit of 0 */
};

void sample_init(struct sample *sample, size_t limit);
void sample_done(struct sample *sample);
/* Whether a key of this hash belongs to the sample, and is new in it: then it is
 * to be measured and added. */
bool sample_wants(const struct sample *sample, uint64_t hash);
void sample_add(struct sample *sample, const struct measure *measure);
void sample_sum(const struct sample *sample, struct sums *ret_sums);

struct estimate {
    bool known, exact;
    double value, low, high;
};

/* Of `keys` keys, `measured` were looked at, and `found` of them had it. */
struct estimate estimate_count(uint64_t found, uint64_t measured, uint64_t keys);
/* The bytes of `keys` keys whose names have name_bytes: since names are all known, only what is
 * beyond them is estimated. */
struct estimate estimate_total(const struct sums *sums, uint64_t keys, uint64_t name_bytes);
/* Two estimates of things that have nothing to do with one another. */
struct estimate estimate_sum(struct estimate a, struct estimate b);

#endif
