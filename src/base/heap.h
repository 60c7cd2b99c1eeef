/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A heap for small objects, one per shard.
 *
 * What: objects of up to HEAP_OBJECT_MAX bytes in size classes 8 bytes apart, cut from aligned pages. A
 *       general allocator rounds 56 bytes up to 64; here they take 56, and an allocation is a few
 *       instructions because the shard's lock already keeps other threads away. Larger sizes pass
 *       through to base/memory.h.
 * Always: an object is given back with the size it was taken with. Every object is 8-byte aligned.
 * Owner: the shard owns the heap, which lives as long as the process; values keep a pointer to the heap
 *        they take from.
 * Lock: whoever takes from a heap, or gives back to it under its own name, holds the shard's lock (or is
 *       the only user of the heap). Giving back with another heap's name, or with NULL, is safe from any
 *       thread: the object travels home over a lock-free list and is reused when its owner next looks.
 * Errors: none; like mem_alloc, taking never fails.
 */
#ifndef KN_BASE_HEAP_H
#define KN_BASE_HEAP_H

#include <stddef.h>

enum { HEAP_OBJECT_MAX = 1024 };

struct heap;

struct heap *heap_new(void);
/* Every object must have been given back. */
void heap_free(struct heap *heap);


void *heap_take(struct heap *heap, size_t size) __attribute__((returns_nonnull));
/* user: the heap whose lock the caller holds; NULL when it holds none.
 * size: as it was taken. */
void heap_give(struct heap *user, void *object, size_t size);
/* Moves an object to a new size; the content up to the smaller size stays. object may be NULL when
 * old_size is 0. */
void *heap_resize(struct heap *heap, void *object, size_t old_size, size_t new_size);

/* Bytes that an object of this size really occupies. */
size_t heap_object_bytes(size_t size);

/* Bytes of pages held, and of objects in them, for INFO and tests. */
struct heap_stats {
    size_t page_bytes;
    size_t object_bytes;
};
void heap_stats(const struct heap *heap, struct heap_stats *ret_stats);

#endif
