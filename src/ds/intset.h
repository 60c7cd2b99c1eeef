/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sorted array of distinct integers, as narrow as the widest of them allows.
 *
 * What: 2, 4 or 8 bytes a number; all numbers are widened when one comes that needs more. Finding
 *       is a binary search, adding and removing move what follows: meant for some hundred numbers.
 * Always: numbers ascend, none is there twice.
 * Owner: the intset owns its array, which is taken from the heap that the caller names each time.
 * Lock: the caller's.
 * Errors: none.
 */
#ifndef KN_DS_INTSET_H
#define KN_DS_INTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"

struct intset {
    void *numbers; /* NULL while capacity is 0 */
    uint32_t count;
    uint32_t capacity; /* in numbers of this width */
    uint32_t width;    /* bytes a number: 2, 4 or 8 */
};

void intset_init(struct intset *set);
void intset_done(struct intset *set, struct heap *heap);
/* ret_copy is taken as uninitialised. */
void intset_copy(const struct intset *set, struct heap *heap, struct intset *ret_copy);

static inline size_t intset_count(const struct intset *set) {
    return set->count;
}

/* Bytes that the array occupies. */
static inline size_t intset_bytes(const struct intset *set) {
    return set->capacity ? heap_object_bytes((size_t)set->capacity * set->width) : 0;
}

int64_t intset_at(const struct intset *set, size_t index);
/* ret_index, which may be NULL: where it is, or where it would be added. */
bool intset_find(const struct intset *set, int64_t number, size_t *ret_index);
/* False when it was there already. */
bool intset_add(struct intset *set, struct heap *heap, int64_t number);
/* False when it was not there. */
bool intset_remove(struct intset *set, struct heap *heap, int64_t number);
void intset_remove_at(struct intset *set, struct heap *heap, size_t index);

/* Proves the invariants; for tests. */
void intset_check(const struct intset *set);

#endif
