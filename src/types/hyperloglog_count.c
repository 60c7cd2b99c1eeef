/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLogs read: where elements count, registers merged, cardinalities estimated. */
#include <endian.h>
#include <math.h>
#include <stdio.h>

#include "base/buffer.h"
#include "types/hyperloglog_inside.h"

enum { INDEX_BITS = 14, VALUE_BITS = 64 - INDEX_BITS, VALUES = 64 };

/* ---- elements ---- */

/* MurmurHash64A, by Austin Appleby, in the public domain; part of the format, since
 * the registers hang on it. */
static uint64_t element_hash(struct bytes element) {
    const uint64_t factor = UINT64_C(0xc6a4a7935bd1e995), seed = UINT64_C(0xadc83b19);
    uint64_t hash = seed ^ element.len * factor, word;
    const char *at = element.data;
    size_t left = element.len;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        word = le64toh(word) * factor;
        word ^= word >> 47;
        hash = (hash ^ word * factor) * factor;
    }
    if (left > 0) {
        word = 0;
        memcpy(&word, at, left);
        hash = (hash ^ le64toh(word)) * factor;
    }
    hash = (hash ^ hash >> 47) * factor;
    return hash ^ hash >> 47;
}

void hll_place(struct bytes element, unsigned *ret_index, uint8_t *ret_value) {
    uint64_t hash = element_hash(element);
    *ret_index = hash & (HLL_REGISTERS - 1);
    /* A one behind the last bit, so that the value ends there. */
    hash = hash >> INDEX_BITS | UINT64_C(1) << VALUE_BITS;
    *ret_value = (uint8_t)(__builtin_ctzll(hash) + 1);
}

/* ---- registers ---- */

static bool merge_sparse(struct bytes string, uint8_t max[HLL_REGISTERS]) {
    struct hll_run run;
    size_t at = HLL_HEADER_BYTES;
    unsigned index = 0;
    for (; hll_run_at(string, at, &run); at += run.bytes, index += run.span) {
        if (run.span > HLL_REGISTERS - index) return false;
        if (run.value == 0) continue;
        for (unsigned i = index; i < index + run.span; i++) {
            if (max[i] < run.value) max[i] = run.value;
        }
    }
    return index == HLL_REGISTERS && at == string.len;
}

bool hll_merge(struct bytes string, uint8_t max[HLL_REGISTERS]) {
    if (!hll_is_dense(string)) return merge_sparse(string, max);
    hll_dense_merge((const uint8_t *)string.data + HLL_HEADER_BYTES, max);
    return true;
}

/* ---- estimates ---- */

/* The sums of Ertl's estimator, for the registers that are zero and for those that are full: each
 * is added up until a further term changes nothing. */
static double sum_of_zeros(double share) {
    if (share == 1.0) return INFINITY;
    double power = share, factor = 1, sum = share, before;
    do {
        power *= power;
        before = sum;
        sum += power * factor;
        factor += factor;
    } while (sum != before);
    return sum;
}

static double sum_of_full(double share) {
    if (share == 0.0 || share == 1.0) return 0.0;
    double root = share, factor = 1, sum = 1 - share, before;
    do {
        root = sqrt(root);
        before = sum;
        factor *= 0.5;
        sum -= pow(1 - root, 2) * factor;
    } while (sum != before);
    return sum / 3;
}

uint64_t hll_estimate(const uint8_t registers[HLL_REGISTERS]) {
    /* Four counts, since neighbours are often equal, and a count has to wait for itself. */
    uint32_t counts[4][VALUES] = {{0}};
    for (unsigned i = 0; i < HLL_REGISTERS; i += 4) {
        for (unsigned j = 0; j < 4; j++) counts[j][registers[i + j] & (VALUES - 1)]++;
    }
    for (unsigned value = 0; value < VALUES; value++)
        counts[0][value] += counts[1][value] + counts[2][value] + counts[3][value];
    const double m = HLL_REGISTERS, alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
    double sum = m * sum_of_full((m - counts[0][VALUE_BITS + 1]) / m);
    for (int value = VALUE_BITS; value >= 1; value--) {
        sum += counts[0][value];
        sum *= 0.5;
    }
    sum += m * sum_of_zeros(counts[0][0] / m);
    double estimate = alpha * m * m / sum;
    /* Registers that no elements can have made may say more than there are numbers for. */
    return estimate < 0x1p63 ? (uint64_t)llroundl(estimate) : INT64_MAX;
}

/* ---- for people ---- */

bool hll_describe(struct bytes string, struct buffer *out) {
    struct hll_run run;
    size_t at = HLL_HEADER_BYTES;
    char text[32];
    for (; hll_run_at(string, at, &run); at += run.bytes) {
        const char *gap = at == HLL_HEADER_BYTES ? "" : " ";
        int len =
            run.value > 0
                ? snprintf(text, sizeof text, "%sv:%u,%u", gap, (unsigned)run.value, run.span)
                : snprintf(text, sizeof text, "%s%c:%u", gap, run.bytes == 1 ? 'z' : 'Z', run.span);
        if (buffer_add(out, text, (size_t)len) != 0) return false;
    }
    return at == string.len;
}

static bool encodings_agree(const struct hll *sparse, const struct hll *dense) {
    uint8_t a[HLL_REGISTERS] = {0}, b[HLL_REGISTERS] = {0};
    return hll_merge(bytes_make(sparse->bytes, sparse->len), a) &&
           hll_merge(bytes_make(dense->bytes, dense->len), b) && memcmp(a, b, sizeof a) == 0;
}

bool hll_self_test(void) {
    enum { LAST = 1000000 };
    char sparse_room[HLL_ROOM_BYTES], dense_room[HLL_ROOM_BYTES];
    struct hll sparse = {.bytes = sparse_room}, dense = {.bytes = dense_room};
    uint64_t next_check = 1;
    hll_init(&sparse);
    hll_init(&dense);
    if (!hll_make_dense(&dense)) return false;
    for (uint64_t i = 1; i <= LAST; i++) {
        uint64_t element = htole64(i);
        struct bytes bytes = bytes_make(&element, sizeof element);
        if (hll_add(&sparse, bytes) != hll_add(&dense, bytes)) return false;
        if (i != next_check && i != LAST) continue;
        next_check *= 10;
        uint8_t registers[HLL_REGISTERS] = {0};
        if (!encodings_agree(&sparse, &dense) ||
            !hll_merge(bytes_make(dense.bytes, dense.len), registers))
            return false;
        /* Four times the standard error, and one where that is less than one. */
        double error = fabs((double)hll_estimate(registers) - (double)i);
        if (error > 1 + (double)i * 4 * 1.04 / sqrt(HLL_REGISTERS)) return false;
    }
    return true;
}
