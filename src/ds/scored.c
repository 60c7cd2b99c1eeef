/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/scored.h"

#include <math.h>

#include "base/assert.h"

/* Is it an integer of 56 bits? Minus zero is not, as its sign would be lost. */
static bool fits_integer(double score, int64_t *ret_integer) {
    const double limit = (double)(INT64_C(1) << 55);
    if (!(score >= -limit && score < limit)) return false;
    int64_t integer = (int64_t)score;
    if ((double)integer != score || (integer == 0 && signbit(score))) return false;
    *ret_integer = integer;
    return true;
}

static void put_score(struct scored *item, bool integer, int64_t number, double score) {
    if (integer)
        item->word = (item->word & 0xff) | (uint64_t)number << 8;
    else
        memcpy((char *)item + 1, &score, sizeof score);
}

struct scored *scored_new(struct heap *heap, double score, struct bytes member) {
    int64_t number = 0;
    bool integer = fits_integer(score, &number);
    bool is_long = member.len >= SCORED_LENGTH;
    uint32_t len = (uint32_t)member.len;
    kn_assert(!isnan(score) && member.len <= UINT32_MAX);
    size_t head = (integer ? 8u : 9u) + (is_long ? sizeof len : 0);
    /* The first word is written whole, so there must be room for it. */
    struct scored *item = heap_take(heap, head + member.len);
    item->word = (is_long ? SCORED_LENGTH : len) | (integer ? SCORED_INTEGER : 0u);
    put_score(item, integer, number, score);
    char *data = (char *)item + head;
    if (is_long) memcpy(data - sizeof len, &len, sizeof len);
    if (len) memcpy(data, member.data, len);
    return item;
}

size_t scored_size(const struct scored *item) {
    struct bytes member = scored_member(item);
    return (size_t)(member.data - (const char *)item) + member.len;
}

void scored_free(struct heap *user, struct scored *item) {
    heap_give(user, item, scored_size(item));
}

bool scored_set_score(struct scored *item, double score) {
    int64_t number = 0;
    bool integer = fits_integer(score, &number);
    if (integer != ((item->word & SCORED_INTEGER) != 0)) return false;
    put_score(item, integer, number, score);
    return true;
}
