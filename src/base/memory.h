/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * General allocation, counted.
 *
 * What: malloc of the allocator chosen at build time, with the bytes in use counted per
 *       thread, so that counting costs no shared cache line. Small objects of the keyspace
 *       come from base/heap.h instead.
 * Always: memory_used() is the sum over all threads of what was taken less what was given back,
 *         whoever gave it back; it may lag another thread by what that thread does at this moment.
 * Lock: none; every function may be called from every thread.
 * Errors: mem_alloc and its kind never return NULL: the process ends with a message, as
 *         there is no way to go on. Sizes that a client controls go through
 *         mem_try_alloc, which may return NULL.
 */
#ifndef KN_BASE_MEMORY_H
#define KN_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_realloc(void *ptr, size_t size) __attribute__((alloc_size(2)));
void *mem_try_alloc(size_t size) __attribute__((malloc, alloc_size(1), warn_unused_result));
void *mem_try_realloc(void *ptr, size_t size) __attribute__((alloc_size(2), warn_unused_result));
/* alignment: a power of two. Freed with mem_free like everything else. */
void *mem_alloc_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull));
void mem_free(void *ptr);
char *mem_strdup(const char *s) __attribute__((returns_nonnull));

/* Bytes that the allocator set aside for ptr, at least what was asked for. */
size_t mem_size(const void *ptr);

/* Bytes in use by the whole process. */
size_t memory_used(void);
/* Most bytes that were in use at a time when memory_note_peak() was called. */
size_t memory_peak(void);
void memory_note_peak(void);

/* Adds to this thread's count: for base/heap.c, which takes memory in pages and
 * hands it out in objects. */
void memory_account(ptrdiff_t bytes);

/* Memory for base/heap.c's pages, not counted: their objects are. */
void *mem_page_alloc(size_t alignment, size_t size);
void mem_page_free(void *ptr);

/* From now on, memory that the allocator keeps for reuse goes back to the system soon, idle process
 * or not. Called once, when the process will not fork any more. */
void memory_start_giving_back(void);

/* The name and version of the allocator, as INFO shows it. */
const char *memory_allocator_name(void);

struct memory_stats {
    size_t allocated; /* bytes the allocator handed out */
    size_t active;    /* bytes in pages that hold them */
    size_t resident;  /* bytes of those pages that are in RAM */
};
/* What the allocator itself says; all zero where it cannot tell. */
void memory_stats(struct memory_stats *ret_stats);

#endif
