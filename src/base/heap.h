/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A heap for small objects.
 *
 * What: objects of up to HEAP_OBJECT_MAX bytes in size classes 8 bytes apart, cut from aligned
 *       pages. A general allocator rounds 56 bytes up to 64; here they take 56, and an
 *       allocation is a few instructions because nobody else is in the heap. Larger sizes pass
 *       through to base/memory.h.
 * Always: an object is given back with the size it was taken with. Every object is 8-byte aligned.
 * Owner: the store owns the heaps, which live as long as the process; values keep a pointer to the
 *        heap they take from. Several shards take from one heap: each heap has partly filled pages
 *        in each of its classes, so with a heap for each shard a small keyspace of mixed sizes
 *        would take twice its bytes.
 * Lock: its own, once heap_share was called. A heap that is not shared has one user at a time, who
 *       may take from it and give back under its name. Giving back with another heap's name, or
 *       with NULL, is safe from any thread: the object travels home over a lock-free list and is
 *       reused when its owner next looks.
 * Errors: none; like mem_alloc, taking never fails.
 */
#ifndef KN_BASE_HEAP_H
#define KN_BASE_HEAP_H

#include <stddef.h>

enum { HEAP_OBJECT_MAX = 1024 };

struct heap;

struct heap *heap_new(void);
/* From now on several threads use the heap. Called before they do. */
void heap_share(struct heap *heap);
/* Every object must have been given back. */
void heap_free(struct heap *heap);

void *heap_take(struct heap *heap, size_t size) __attribute__((returns_nonnull));
/* user: the heap that the caller works with; NULL when with none.
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
void heap_stats(struct heap *heap, struct heap_stats *ret_stats);

#endif
