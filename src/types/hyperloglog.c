/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyperLogLogs recognised and changed; hyperloglog_count.c reads them.
 *
 * A sparse one is changed run by run just as Redis does it, because the bytes are to be the same
 * whoever made them: the run around the register is split in three at most, and then neighbours of
 * one value are joined again, looking at five runs from the one before the change on.
 */
#include "types/hyperloglog.h"

#include "base/assert.h"
#include "types/hyperloglog_inside.h"
#include "types/limits.h"

enum { ENCODING_AT = 4, ESTIMATE_AT = 8, DENSE = 0, SPARSE = 1, JOIN_RUNS = 5 };

static const char magic[4] = {'H', 'Y', 'L', 'L'};

bool hll_recognise(struct bytes string) {
    if (string.len < HLL_HEADER_BYTES || memcmp(string.data, magic, sizeof magic) != 0)
        return false;
    uint8_t encoding = (uint8_t)string.data[ENCODING_AT];
    return encoding == SPARSE || (encoding == DENSE && string.len == HLL_DENSE_BYTES);
}

bool hll_is_dense(struct bytes string) {
    return string.data[ENCODING_AT] == DENSE;
}

static bool is_dense(const struct hll *hll) {
    return hll->bytes[ENCODING_AT] == DENSE;
}

bool hll_kept_estimate(struct bytes string, uint64_t *ret_count) {
    uint64_t count = 0;
    for (int i = 7; i >= 0; i--) count = count << 8 | (uint8_t)string.data[ESTIMATE_AT + i];
    if (count >> 63) return false;
    *ret_count = count;
    return true;
}

void hll_keep_estimate(char *string, uint64_t count) {
    for (int i = 0; i < 8; i++) string[ESTIMATE_AT + i] = (char)(count >> 8 * i);
}

void hll_forget_estimate(struct hll *hll) {
    hll->bytes[ESTIMATE_AT + 7] |= (char)0x80;
}

/* ---- runs ---- */

static char run_of_value(uint8_t value, unsigned span) {
    return (char)(0x80 | (value - 1) << 2 | (span - 1));
}

/* Writes a run of zeros in as few bytes as it takes, and returns where it ends. */
static char *put_zeros(char *to, unsigned span) {
    if (span > RUN_ZERO_SPAN_MAX) {
        *to++ = (char)(0x40 | (span - 1) >> 8);
        *to++ = (char)((span - 1) & 0xff);
    } else if (span > 0) {
        *to++ = (char)(span - 1);
    }
    return to;
}

/* A part of a run that is split: none when the span is 0. */
static char *put_part(char *to, uint8_t value, unsigned span) {
    if (value == 0) return put_zeros(to, span);
    if (span > 0) *to++ = run_of_value(value, span);
    return to;
}

void hll_init(struct hll *hll) {
    memset(hll->bytes, 0, HLL_HEADER_BYTES);
    memcpy(hll->bytes, magic, sizeof magic);
    hll->bytes[ENCODING_AT] = SPARSE;
    hll->len = (size_t)(put_zeros(hll->bytes + HLL_HEADER_BYTES, HLL_REGISTERS) - hll->bytes);
}

static void join_runs(struct hll *hll, size_t at) {
    struct hll_run run, next;
    for (int looked = 0; looked < JOIN_RUNS; looked++) {
        struct bytes string = bytes_make(hll->bytes, hll->len);
        if (!hll_run_at(string, at, &run)) return;
        if (run.value > 0 && hll_run_at(string, at + 1, &next) && next.value == run.value &&
            run.span + next.span <= RUN_VALUE_SPAN_MAX) {
            hll->bytes[at] = run_of_value(run.value, run.span + next.span);
            memmove(hll->bytes + at + 1, hll->bytes + at + 2, hll->len - at - 2);
            hll->len--;
        } else {
            at += run.bytes;
        }
    }
}

/* ---- raising a register ---- */

static enum hll_outcome raise_dense(struct hll *hll, unsigned index, uint8_t value) {
    uint8_t *registers = (uint8_t *)hll->bytes + HLL_HEADER_BYTES;
    if (hll_dense_get(registers, index) >= value) return HLL_SAME;
    hll_dense_set(registers, index, value);
    hll_forget_estimate(hll);
    return HLL_CHANGED;
}

bool hll_make_dense(struct hll *hll) {
    uint8_t values[HLL_REGISTERS] = {0};
    if (is_dense(hll)) return true;
    if (!hll_merge(bytes_make(hll->bytes, hll->len), values)) return false;
    hll->bytes[ENCODING_AT] = DENSE;
    hll->len = HLL_DENSE_BYTES;
    hll_dense_pack((uint8_t *)hll->bytes + HLL_HEADER_BYTES, values);
    return true;
}

static enum hll_outcome raise_as_dense(struct hll *hll, unsigned index, uint8_t value) {
    return hll_make_dense(hll) ? raise_dense(hll, index, value) : HLL_DAMAGED;
}

/* Puts new bytes in the place of a run. */
static void replace_run(struct hll *hll, size_t at, size_t old, const char *bytes, size_t count) {
    char *place = hll->bytes + at;
    memmove(place + count, place + old, hll->len - at - old);
    memcpy(place, bytes, count);
    hll->len = hll->len - old + count;
}

static enum hll_outcome raise_sparse(struct hll *hll, unsigned index, uint8_t value) {
    struct bytes string = bytes_make(hll->bytes, hll->len);
    struct hll_run run;
    size_t at = HLL_HEADER_BYTES, before = at;
    unsigned first = 0;
    if (value > RUN_VALUE_MAX) return raise_as_dense(hll, index, value);
    if (hll->len > HLL_SPARSE_BYTES_MAX) return HLL_DAMAGED;
    for (;; before = at, at += run.bytes, first += run.span) {
        if (!hll_run_at(string, at, &run)) return HLL_DAMAGED;
        if (index < first + run.span) break;
    }
    if (run.value >= value) return HLL_SAME;
    char parts[5], *end = put_part(parts, run.value, index - first);
    *end++ = run_of_value(value, 1);
    end = put_part(end, run.value, first + run.span - 1 - index);
    size_t count = (size_t)(end - parts);
    kn_assert(count <= sizeof parts);
    if (count > run.bytes &&
        hll->len - run.bytes + count > (uint64_t)type_limit(&type_limits.hll_sparse_max_bytes))
        return raise_as_dense(hll, index, value);
    replace_run(hll, at, run.bytes, parts, count);
    join_runs(hll, before);
    hll_forget_estimate(hll);
    return HLL_CHANGED;
}

enum hll_outcome hll_raise(struct hll *hll, unsigned index, uint8_t value) {
    return is_dense(hll) ? raise_dense(hll, index, value) : raise_sparse(hll, index, value);
}

enum hll_outcome hll_add(struct hll *hll, struct bytes element) {
    unsigned index;
    uint8_t value;
    hll_place(element, &index, &value);
    return hll_raise(hll, index, value);
}

bool hll_raise_all(struct hll *hll, const uint8_t values[HLL_REGISTERS]) {
    for (unsigned i = 0; i < HLL_REGISTERS && !is_dense(hll); i++) {
        if (values[i] > 0 && hll_raise(hll, i, values[i]) == HLL_DAMAGED) return false;
    }
    if (!is_dense(hll)) return true;
    hll_dense_pack((uint8_t *)hll->bytes + HLL_HEADER_BYTES, values);
    hll_forget_estimate(hll);
    return true;
}
