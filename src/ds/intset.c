/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/intset.h"

#include <string.h>

#include "base/assert.h"

void intset_init(struct intset *set) {
    *set = (struct intset){.width = 2};
}

void intset_done(struct intset *set, struct heap *heap) {
    if (set->capacity) heap_give(heap, set->numbers, (size_t)set->capacity * set->width);
    intset_init(set);
}

void intset_copy(const struct intset *set, struct heap *heap, struct intset *ret_copy) {
    *ret_copy = *set;
    ret_copy->capacity = set->count;
    ret_copy->numbers = NULL;
    size_t size = (size_t)set->count * set->width;
    if (size) ret_copy->numbers = memcpy(heap_take(heap, size), set->numbers, size);
}

static uint32_t width_of(int64_t number) {
    if (number >= INT16_MIN && number <= INT16_MAX) return 2;
    return number >= INT32_MIN && number <= INT32_MAX ? 4 : 8;
}

static int64_t load(const struct intset *set, size_t index) {
    switch (set->width) {
    case 2: return ((const int16_t *)set->numbers)[index];
    case 4: return ((const int32_t *)set->numbers)[index];
    default: return ((const int64_t *)set->numbers)[index];
    }
}

static void store(struct intset *set, size_t index, int64_t number) {
    switch (set->width) {
    case 2: ((int16_t *)set->numbers)[index] = (int16_t)number; break;
    case 4: ((int32_t *)set->numbers)[index] = (int32_t)number; break;
    default: ((int64_t *)set->numbers)[index] = number; break;
    }
}

int64_t intset_at(const struct intset *set, size_t index) {
    kn_assert(index < set->count);
    return load(set, index);
}

bool intset_find(const struct intset *set, int64_t number, size_t *ret_index) {
    size_t low = 0, high = set->count;
    /* Numbers often come in ascending order: look at the end first. */
    if (high && number > load(set, high - 1)) low = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (load(set, middle) < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (ret_index) *ret_index = low;
    return low < set->count && load(set, low) == number;
}

static void resize(struct intset *set, struct heap *heap, uint32_t capacity) {
    set->numbers = heap_resize(heap, set->numbers, (size_t)set->capacity * set->width,
                               (size_t)capacity * set->width);
    set->capacity = capacity;
}

static void widen(struct intset *set, struct heap *heap, uint32_t width) {
    struct intset wide = {.width = width, .count = set->count, .capacity = set->count + 1};
    wide.numbers = heap_take(heap, (size_t)wide.capacity * width);
    for (size_t i = 0; i < set->count; i++) store(&wide, i, load(set, i));
    intset_done(set, heap);
    *set = wide;
}

bool intset_add(struct intset *set, struct heap *heap, int64_t number) {
    size_t index;
    uint32_t width = width_of(number);
    if (intset_find(set, number, &index)) return false;
    kn_assert(set->count < UINT32_MAX / 2);
    if (width > set->width) widen(set, heap, width);
    if (set->count == set->capacity) {
        /* Whole steps of 8 bytes are what the heap hands out; an eighth on top spares moves. */
        uint32_t step = 8 / set->width;
        uint32_t wanted = set->count + 1 + set->count / 8;
        resize(set, heap, (wanted + step - 1) / step * step);
    }
    char *at = (char *)set->numbers + index * set->width;
    memmove(at + set->width, at, (set->count - index) * set->width);
    set->count++;
    store(set, index, number);
    return true;
}

void intset_remove_at(struct intset *set, struct heap *heap, size_t index) {
    kn_assert(index < set->count);
    char *at = (char *)set->numbers + index * set->width;
    memmove(at, at + set->width, (set->count - index - 1) * set->width);
    set->count--;
    if (set->count == 0)
        intset_done(set, heap);
    else if (set->capacity - set->count > 16 + set->count / 2)
        resize(set, heap, set->count + set->count / 8);
}

bool intset_remove(struct intset *set, struct heap *heap, int64_t number) {
    size_t index;
    if (!intset_find(set, number, &index)) return false;
    intset_remove_at(set, heap, index);
    return true;
}

void intset_check(const struct intset *set) {
    kn_require(set->width == 2 || set->width == 4 || set->width == 8);
    kn_require(set->count <= set->capacity && (set->numbers != NULL) == (set->capacity != 0));
    for (size_t i = 1; i < set->count; i++) kn_require(load(set, i - 1) < load(set, i));
}
