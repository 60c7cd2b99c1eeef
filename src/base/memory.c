/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each thread counts into a cell of its own, which only it writes; memory_used() adds the cells up.
 * A cell outlives its thread, as what the thread took may still be in use.
 */
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(KN_ALLOCATOR_JEMALLOC)
#include <jemalloc/jemalloc.h>
#elif defined(KN_ALLOCATOR_MIMALLOC)
#include <mimalloc.h>
#define malloc                         mi_malloc
#define realloc                        mi_realloc
#define free                           mi_free
#define aligned_alloc(alignment, size) mi_malloc_aligned((size), (alignment))
#define malloc_usable_size             mi_usable_size
#else
#include <malloc.h>
#endif

enum { CACHE_LINE = 64, PAGE_ROUND = 8 };

struct memory_cell {
    _Alignas(CACHE_LINE) _Atomic ptrdiff_t bytes;
    struct memory_cell *next;
};

static _Atomic(struct memory_cell *) all_cells;
static _Atomic size_t peak_bytes;
static _Thread_local struct memory_cell *own_cell;

static __attribute__((noinline)) struct memory_cell *memory_cell_new(void) {
    struct memory_cell *cell = aligned_alloc(CACHE_LINE, sizeof *cell);
    if (cell == NULL) abort();
    atomic_init(&cell->bytes, 0);
    cell->next = atomic_load(&all_cells);
    while (!atomic_compare_exchange_weak(&all_cells, &cell->next, cell)) continue;
    own_cell = cell;
    return cell;
}

void memory_account(ptrdiff_t bytes) {
    struct memory_cell *cell = own_cell;
    if (__builtin_expect(cell == NULL, 0)) cell = memory_cell_new();
    /* Only this thread writes the cell, so a load and a store do; an atomic addition would cost a
     * locked instruction on each allocation. */
    ptrdiff_t sum = atomic_load_explicit(&cell->bytes, memory_order_relaxed) + bytes;
    atomic_store_explicit(&cell->bytes, sum, memory_order_relaxed);
}

size_t memory_used(void) {
    ptrdiff_t sum = 0;
    for (struct memory_cell *cell = atomic_load_explicit(&all_cells, memory_order_acquire);
         cell != NULL; cell = cell->next)
        sum += atomic_load_explicit(&cell->bytes, memory_order_relaxed);
    return sum > 0 ? (size_t)sum : 0;
}

size_t memory_peak(void) {
    memory_note_peak();
    return atomic_load_explicit(&peak_bytes, memory_order_relaxed);
}

void memory_note_peak(void) {
    size_t used = memory_used();
    size_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, used)) continue;
}

size_t mem_size(const void *ptr) {
    return ptr == NULL ? 0 : malloc_usable_size((void *)(uintptr_t)ptr);
}

static _Noreturn void memory_exhausted(size_t size) {
    fprintf(stderr,
            "Out of memory: could not get %zu bytes. Set maxmemory below what this machine has.\n",
            size);
    abort();
}

void *mem_try_alloc(size_t size) {
    void *ptr = malloc(size ? size : 1);
    if (ptr != NULL) memory_account((ptrdiff_t)malloc_usable_size(ptr));
    return ptr;
}

void *mem_alloc(size_t size) {
    void *ptr = mem_try_alloc(size);
    if (ptr == NULL) memory_exhausted(size);
    return ptr;
}

void *mem_zalloc(size_t size) {
    return memset(mem_alloc(size), 0, size);
}

void *mem_try_realloc(void *ptr, size_t size) {
    size_t before = mem_size(ptr);
    void *moved = realloc(ptr, size ? size : 1);
    if (moved != NULL) memory_account((ptrdiff_t)malloc_usable_size(moved) - (ptrdiff_t)before);
    return moved;
}

void *mem_realloc(void *ptr, size_t size) {
    void *moved = mem_try_realloc(ptr, size);
    if (moved == NULL) memory_exhausted(size);
    return moved;
}

void *mem_alloc_aligned(size_t alignment, size_t size) {
    size_t rounded = (size + alignment - 1) & ~(alignment - 1);
    void *ptr = aligned_alloc(alignment, rounded);
    if (ptr == NULL) memory_exhausted(size);
    memory_account((ptrdiff_t)malloc_usable_size(ptr));
    return ptr;
}

void mem_free(void *ptr) {
    if (ptr == NULL) return;
    memory_account(-(ptrdiff_t)malloc_usable_size(ptr));
    free(ptr);
}

char *mem_strdup(const char *s) {
    size_t size = strlen(s) + 1;
    return memcpy(mem_alloc(size), s, size);
}

void *mem_page_alloc(size_t alignment, size_t size) {
    void *page = aligned_alloc(alignment, size);
    if (page == NULL) memory_exhausted(size);
    return page;
}

void mem_page_free(void *ptr) {
    free(ptr);
}

const char *memory_allocator_name(void) {
#if defined(KN_ALLOCATOR_JEMALLOC)
    return "jemalloc-" JEMALLOC_VERSION;
#elif defined(KN_ALLOCATOR_MIMALLOC)
    return "mimalloc";
#else
    return "libc";
#endif
}

#if defined(KN_ALLOCATOR_JEMALLOC)
static size_t memory_jemalloc_stat(const char *name) {
    size_t value = 0;
    size_t size = sizeof value;
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

/* By itself jemalloc keeps unused pages for ten seconds of its own activity, and thus for ever when
 * idle. A table that has just grown leaves much of them: a tenth of a keyspace. */
void memory_start_giving_back(void) {
    enum { DIRTY_MS = 2000, MUZZY_MS = 0 };
    ssize_t dirty_ms = DIRTY_MS, muzzy_ms = MUZZY_MS;
    bool on = true;
    /* For arenas to come, and for the one that is there. Where any of it cannot be had, it is a
     * matter of some memory only. */
    mallctl("arenas.dirty_decay_ms", NULL, NULL, &dirty_ms, sizeof dirty_ms);
    mallctl("arenas.muzzy_decay_ms", NULL, NULL, &muzzy_ms, sizeof muzzy_ms);
    mallctl("arena.0.dirty_decay_ms", NULL, NULL, &dirty_ms, sizeof dirty_ms);
    mallctl("arena.0.muzzy_decay_ms", NULL, NULL, &muzzy_ms, sizeof muzzy_ms);
    mallctl("background_thread", NULL, NULL, &on, sizeof on);
}

void memory_stats(struct memory_stats *ret_stats) {
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size);
    ret_stats->allocated = memory_jemalloc_stat("stats.allocated");
    ret_stats->active = memory_jemalloc_stat("stats.active");
    ret_stats->resident = memory_jemalloc_stat("stats.resident");
}
#else
void memory_start_giving_back(void) {
}

void memory_stats(struct memory_stats *ret_stats) {
    *ret_stats = (struct memory_stats){0};
}
#endif
