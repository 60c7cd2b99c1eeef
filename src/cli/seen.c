/* SPDX-License-Identifier: BSD-3-Clause */
/* Two tables: the younger is filled, the older only asked. When the younger has
 * SEEN_KEYS, it becomes the older. */
#include "cli/seen.h"

#include <stddef.h>

#include "base/memory.h"

enum { SLOTS = SEEN_BYTES / 8, FIRST_SLOTS = 1 << 12 };

struct generation {
    uint64_t *slots; /* 0 is empty */
    size_t size, count;
};

struct seen {
    struct generation young, old;
};

struct seen *seen_new(void) {
    return mem_zalloc(sizeof(struct seen));
}

void seen_free(struct seen *seen) {
    if (!seen) return;
    mem_free(seen->young.slots);
    mem_free(seen->old.slots);
    mem_free(seen);
}

static uint64_t *find(const struct generation *generation, uint64_t hash) {
    size_t at = hash & (generation->size - 1);
    while (generation->slots[at] && generation->slots[at] != hash)
        at = (at + 1) & (generation->size - 1);
    return &generation->slots[at];
}

static void grow(struct generation *generation) {
    struct generation larger = {.size = generation->size ? generation->size * 2 : FIRST_SLOTS,
                                .count = generation->count};
    larger.slots = mem_zalloc(larger.size * sizeof *larger.slots);
    for (size_t i = 0; i < generation->size; i++) {
        if (generation->slots[i]) *find(&larger, generation->slots[i]) = generation->slots[i];
    }
    mem_free(generation->slots);
    *generation = larger;
}

bool seen_before(struct seen *seen, uint64_t hash) {
    if (hash == 0) hash = 1;
    if (seen->old.size && *find(&seen->old, hash)) return true;
    if (seen->young.count >= seen->young.size / 2 && seen->young.size < SLOTS) grow(&seen->young);
    uint64_t *slot = find(&seen->young, hash);
    if (*slot) return true;
    *slot = hash;
    if (++seen->young.count < SEEN_KEYS) return false;
    mem_free(seen->old.slots);
    seen->old = seen->young;
    seen->young = (struct generation){0};
    return false;
}
