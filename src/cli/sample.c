/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/sample.h"

#include <math.h>

#include "base/memory.h"

#define Z95 1.959964

const char *const span_names[SPANS] = {
    "none", "< 1 minute", "< 1 hour", "< 1 day", "< 1 week", "< 30 days", "longer", "unknown",
};

enum span span_of(int64_t left_ms) {
    static const int64_t limits_s[] = {60, 3600, 86400, 7 * 86400, 30 * 86400};
    if (left_ms < 0) return SPAN_NONE;
    for (int i = 0; i < 5; i++) {
        if (left_ms < limits_s[i] * 1000) return (enum span)(SPAN_MINUTE + i);
    }
    return SPAN_LONGER;
}

void sample_init(struct sample *sample, size_t limit) {
    *sample = (struct sample){.limit = limit};
}

void sample_done(struct sample *sample) {
    mem_free(sample->members);
    *sample = (struct sample){0};
}

bool sample_wants(const struct sample *sample, uint64_t hash) {
    if (sample->limit == 0) return true;
    if (sample->count == sample->limit && hash >= sample->members[0].hash) return false;
    for (size_t i = 0; i < sample->count; i++) {
        if (sample->members[i].hash == hash) return false;
    }
    return true;
}

static void sums_add(struct sums *sums, const struct measure *measure) {
    for (int i = 0; i < TRAITS; i++) sums->traits[i] += measure->traits >> i & 1;
    if (measure->traits & 1 << TRAIT_REFUSED) return;
    sums->measured++;
    double beyond = (double)measure->bytes - (double)measure->name_len;
    sums->beyond += beyond;
    sums->beyond_squared += beyond * beyond;
    if (measure->traits & 1 << TRAIT_VANISHED) return;
    sums->types[measure->type]++;
    sums->spans[measure->span]++;
    sums->bytes += (double)measure->bytes;
    if (measure->bytes > sums->bytes_most) sums->bytes_most = measure->bytes;
}

static void sift_down(struct measure *heap, size_t count, size_t at) {
    struct measure moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child + 1].hash > heap[child].hash) child++;
        if (heap[child].hash <= moved.hash) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

void sample_add(struct sample *sample, const struct measure *measure) {
    if (sample->limit == 0) {
        sums_add(&sample->all, measure);
        return;
    }
    if (sample->count == sample->limit) {
        if (measure->hash >= sample->members[0].hash) return;
        sample->members[0] = *measure;
        sift_down(sample->members, sample->count, 0);
        return;
    }
    if (sample->count == sample->room) {
        sample->room = sample->room ? sample->room * 2 : 8;
        if (sample->room > sample->limit) sample->room = sample->limit;
        sample->members = mem_realloc(sample->members, sample->room * sizeof *sample->members);
    }
    size_t at = sample->count++;
    for (; at && sample->members[(at - 1) / 2].hash < measure->hash; at = (at - 1) / 2)
        sample->members[at] = sample->members[(at - 1) / 2];
    sample->members[at] = *measure;
}

void sample_sum(const struct sample *sample, struct sums *ret_sums) {
    *ret_sums = sample->all;
    for (size_t i = 0; i < sample->count; i++) sums_add(ret_sums, &sample->members[i]);
}

struct estimate estimate_count(uint64_t found, uint64_t measured, uint64_t keys) {
    double n = (double)measured, all = (double)keys, k = (double)found;
    if (measured == 0) return (struct estimate){.known = keys == 0, .exact = keys == 0};
    if (measured >= keys) return (struct estimate){true, true, k, k, k};
    double share = k / n;
    double worth =
        n * (all - 1) / (all - n); /* as many draws from an endless population tell as much */
    double z = Z95 * Z95 / worth;
    double middle = (share + z / 2) / (1 + z);
    double half = Z95 / (1 + z) * sqrt(share * (1 - share) / worth + z / worth / 4);
    struct estimate estimate = {true, false, share * all, (middle - half) * all,
                                (middle + half) * all};
    /* What was seen is certain. */
    if (found == 0 || estimate.low < k) estimate.low = k;
    if (found == measured || estimate.high > all - (n - k)) estimate.high = all - (n - k);
    return estimate;
}

struct estimate estimate_total(const struct sums *sums, uint64_t keys, uint64_t name_bytes) {
    double n = (double)sums->measured, all = (double)keys;
    if (n == 0) return (struct estimate){.known = keys == 0, .exact = keys == 0};
    if (sums->measured >= keys)
        return (struct estimate){true, true, sums->bytes, sums->bytes, sums->bytes};
    double mean = sums->beyond / n;
    double variance = n > 1 ? (sums->beyond_squared - n * mean * mean) / (n - 1) : mean * mean;
    /* Student's quantile by its expansion; exact enough from five degrees of freedom on. */
    double freedom = n > 1 ? n - 1 : 1;
    double t = Z95 + (Z95 * Z95 * Z95 + Z95) / (4 * freedom);
    double half = t * all * sqrt((variance > 0 ? variance : 0) / n * (1 - n / all));
    double value = mean * all + (double)name_bytes;
    double low = value - half > sums->bytes ? value - half : sums->bytes;
    if (value < low) value = low;
    return (struct estimate){true, false, value, low, value + half};
}

struct estimate estimate_sum(struct estimate a, struct estimate b) {
    double below = hypot(a.value - a.low, b.value - b.low);
    double above = hypot(a.high - a.value, b.high - b.value);
    double value = a.value + b.value;
    return (struct estimate){a.known && b.known, a.exact && b.exact, value, value - below,
                             value + above};
}
