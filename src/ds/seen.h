/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which numbers were met before: for drawing without drawing twice.
 *
 * What: an open-addressed table of 64-bit numbers, none of them UINT64_MAX, for as
 *       many as it was made for.
 * Owner: whoever called seen_init. Lock: none. Errors: none.
 */
#ifndef KN_DS_SEEN_H
#define KN_DS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

struct seen {
    uint64_t *slots; /* UINT64_MAX: free */
    size_t mask;
};

static inline void seen_init(struct seen *seen, size_t most) {
    size_t slots = 16;
    while (slots < 2 * most) slots *= 2;
    seen->mask = slots - 1;
    seen->slots = mem_alloc(slots * sizeof *seen->slots);
    memset(seen->slots, 0xff, slots * sizeof *seen->slots);
}

static inline void seen_done(struct seen *seen) {
    mem_free(seen->slots);
}

/* False when it was met before. */
static inline bool seen_add(struct seen *seen, uint64_t number) {
    size_t at = (number * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & seen->mask;
    while (seen->slots[at] != UINT64_MAX) {
        if (seen->slots[at] == number) return false;
        at = (at + 1) & seen->mask;
    }
    seen->slots[at] = number;
    return true;
}

#endif
